// A CRM assistant for each user of an application: a chat loop with function calling over the
// user's own tools. Written as programs for the public SDK are; the model is scripted.
//
// Usage: node crm_agent.mjs USER

import { createInterface } from 'node:readline';
import { ScalekitClient } from '@scalekit-sdk/node';

const scalekit = new ScalekitClient(
  process.env.SCALEKIT_ENVIRONMENT_URL,
  process.env.SCALEKIT_CLIENT_ID,
  process.env.SCALEKIT_CLIENT_SECRET,
);
const { actions, tools } = scalekit;
const ACTIVE = 1;

const enter = () =>
  new Promise((done) => {
    const lines = createInterface({ input: process.stdin });
    lines.once('line', () => {
      lines.close();
      done();
    });
  });

async function ensureConnected(identifier) {
  const { connectedAccount } = await actions.getOrCreateConnectedAccount({
    connectionName: 'hubspot',
    identifier,
  });
  if (connectedAccount.status === ACTIVE) return;
  const { link } = await actions.getAuthorizationLink({ connectionName: 'hubspot', identifier });
  console.log(`Authorize hubspot: ${link}`);
  await enter();
}

async function toolsOf(identifier) {
  const { tools: scoped } = await tools.listScopedTools(identifier, {
    filter: { providers: ['HUBSPOT'] },
    pageSize: 50,
  });
  return scoped.map(({ tool }) => ({
    type: 'function',
    function: {
      name: tool.definition.name,
      description: tool.definition.description,
      parameters: tool.definition.input_schema,
    },
  }));
}

// What a model would answer to the conversation so far.
function complete(messages, functions) {
  const results = messages.filter(({ role }) => role === 'tool').map(({ content }) => JSON.parse(content));
  const call = (name, args) => {
    if (!functions.some((it) => it.function.name === name)) throw new Error(`there is no tool ${name}`);
    return { role: 'assistant', tool_calls: [{ id: `call_${name}`, function: { name, arguments: JSON.stringify(args) } }] };
  };
  if (results.length === 0) return call('hubspot_contacts_search', { limit: 1 });
  if (results.length === 1) {
    const [contact] = results[0].results;
    return call('hubspot_note_create', { body: `Spoke with ${contact.properties.email}`, contact_id: contact.id });
  }
  return { role: 'assistant', content: `Wrote note ${results[1].id}.` };
}

async function runAgent(identifier, task) {
  const functions = await toolsOf(identifier);
  const messages = [{ role: 'user', content: task }];
  for (;;) {
    const reply = complete(messages, functions);
    messages.push(reply);
    if (!reply.tool_calls) return reply.content;
    for (const { id, function: wanted } of reply.tool_calls) {
      const result = await actions.executeTool({
        toolName: wanted.name,
        identifier,
        toolInput: JSON.parse(wanted.arguments),
      });
      messages.push({ role: 'tool', tool_call_id: id, content: JSON.stringify(result.data) });
    }
  }
}

const user = process.argv[2];
await ensureConnected(user);
console.log(await runAgent(user, 'Note that I spoke with my first contact.'));
process.exit(0);
