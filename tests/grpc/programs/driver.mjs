// The real Node SDK behind a line protocol: one JSON command a line in, one JSON answer a line out.
//
// A command is {"do": name, ...arguments}. An answer is {"ok": value} or {"error": {...}}.

import { createInterface } from 'node:readline';
import sdk from '@scalekit-sdk/node';

const env = process.env;
const client = new sdk.ScalekitClient(
  env.SCALEKIT_ENVIRONMENT_URL,
  env.SCALEKIT_CLIENT_ID,
  env.SCALEKIT_CLIENT_SECRET,
  env.TOOL_TIMEOUT_SECONDS ? { toolTimeoutMs: 1000 * Number(env.TOOL_TIMEOUT_SECONDS) } : undefined,
);
const { actions, tools } = client;

const account = (given) => ({
  connectionName: given.connection_name,
  identifier: given.identifier,
  connectedAccountId: given.connected_account_id,
  organizationId: given.organization_id,
});

const commands = {
  get_or_create: (given) =>
    Promise.all(
      Array.from({ length: given.times ?? 1 }, () => actions.getOrCreateConnectedAccount(account(given))),
    ),
  get: (given) => actions.getConnectedAccount(account(given)),
  create: (given) =>
    actions.createConnectedAccount({
      ...account(given),
      authorizationDetails: given.authorization_details,
      apiConfig: given.api_config,
    }),
  update: (given) =>
    actions.updateConnectedAccount({
      ...account(given),
      authorizationDetails: given.authorization_details,
      apiConfig: given.api_config,
    }),
  delete: (given) => actions.deleteConnectedAccount(account(given)),
  list: (given) =>
    actions.listConnectedAccounts({
      ...account(given),
      provider: given.provider,
      pageSize: given.page_size,
      pageToken: given.page_token,
      query: given.query,
      connectionNames: given.connection_names,
    }),
  link: (given) =>
    actions.getAuthorizationLink({
      ...account(given),
      state: given.state,
      userVerifyUrl: given.user_verify_url,
    }),
  verify: (given) =>
    actions.verifyConnectedAccountUser({
      authRequestId: given.auth_request_id,
      identifier: given.identifier,
    }),
  scoped_tools: (given) =>
    tools.listScopedTools(given.identifier, {
      filter: {
        providers: given.providers ?? [],
        toolNames: given.tool_names ?? [],
        connectionNames: given.connection_names ?? [],
      },
      pageSize: given.page_size,
      pageToken: given.page_token,
    }),
  available_tools: (given) =>
    tools.listAvailableTools(given.identifier, { pageSize: given.page_size, pageToken: given.page_token }),
  list_tools: (given) =>
    tools.listTools({
      filter: { provider: given.provider, toolName: given.tool_name, query: given.query, summary: given.summary },
      pageSize: given.page_size,
    }),
  execute: (given) =>
    actions.executeTool({
      toolName: given.tool_name,
      toolInput: given.params,
      identifier: given.identifier,
      connectedAccountId: given.connected_account_id,
      connector: given.connection_name,
    }),
  connections: (given) =>
    actions.listConnections({ pageSize: given.page_size, provider: given.provider }),
};

// Names as the other language has them, so that one test reads both.
const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const plain = (value, inData = false) => {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return value.map((item) => plain(item, inData));
  if (value === null || typeof value !== 'object') return value;
  const members = Object.entries(value).filter(([name]) => name !== '$typeName');
  return Object.fromEntries(
    members.map(([name, item]) => [
      inData ? name : snake(name),
      plain(item, inData || name === 'data' || name === 'definition' || name === 'apiConfig'),
    ]),
  );
};

const failure = (error) => ({
  type: error.constructor.name,
  text: `${error.message}\n${error}`,
  error_code: error.errorCode ?? error._errorCode ?? null,
  detail: plain((error.unpackedDetails ?? error._unpackedDetails ?? [])[0] ?? {}),
});

for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, ...given } = JSON.parse(line);
  let answer;
  try {
    answer = { ok: plain(await commands[name](given)) };
  } catch (error) {
    answer = { error: failure(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);
