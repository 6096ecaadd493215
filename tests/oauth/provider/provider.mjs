// A certified authorization server for the tests: rotating refresh tokens whose reuse ends the
// whole grant, PKCE required, access tokens of five seconds. It prints its port when it listens,
// and takes its redirect URI as the one argument.
import Provider from 'oidc-provider';
import { createServer } from 'node:http';

const redirectUri = process.argv[2];
const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'valetkey',
      client_secret: 'provider-secret',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [redirectUri],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
    },
  ],
  clockTolerance: 0,
  cookies: { keys: ['loopback-only-test-key'] },
  features: { devInteractions: { enabled: true }, revocation: { enabled: true } },
  issueRefreshToken: async (_ctx, client, code) =>
    client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
  pkce: { required: () => true },
  rotateRefreshToken: true,
  scopes: ['openid', 'offline_access', 'crm.read'],
  ttl: {
    AccessToken: 5,
    AuthorizationCode: 10,
    Grant: 3600,
    IdToken: 60,
    Interaction: 120,
    RefreshToken: 600,
    Session: 600,
  },
});

server.on('request', provider.callback());
console.log(server.address().port);
// The tests hold our standard input: when they are gone, so are we.
process.stdin.on('end', () => process.exit(0)).resume();
