// Drives a virtual MCP server with the npm SDK of the handshake era; prints what it saw as JSON.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const { url, token } = JSON.parse(process.argv[2]);
const client = new Client({ name: 'tests', version: '1.0.0' });
const headers = { authorization: `Bearer ${token}` };
await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));

const text = (result) => result.content.map((block) => block.text ?? '').join('\n');
const call = (name, args) => client.callTool({ name, arguments: args });
const { tools } = await client.listTools();
const search = await call('hubspot_contacts_search', { limit: 3 });
const wrong = await call('hubspot_contacts_search', { limit: 0 });
const unconnected = await call('gmail_whoami', {});
await client.close();
console.log(JSON.stringify({
  tools: tools.map((tool) => tool.name),
  search: search.structuredContent,
  wrong: text(wrong),
  unconnected: text(unconnected),
}));
