// Drives a virtual MCP server with the npm client that speaks both eras; prints what it saw as JSON.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const { url, token } = JSON.parse(process.argv[2]);
const modern = process.argv[3] === 'modern';
let asked;
const client = new Client(
  { name: 'tests', version: '1.0.0' },
  {
    capabilities: modern ? { elicitation: { form: {}, url: {} } } : {},
    versionNegotiation: modern ? { mode: { pin: '2026-07-28' } } : { mode: 'legacy' },
  },
);
if (modern) {
  client.setRequestHandler('elicitation/create', async (request) => {
    asked = request.params.url;
    return { action: 'decline' };
  });
}
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
  asked,
}));
