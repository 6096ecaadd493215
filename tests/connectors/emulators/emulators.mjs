// One service of the third-party emulator, on a free port of loopback: the service's name and its
// seed are the two arguments. It prints one line of JSON when it listens: `direct`, the emulator
// itself, and `url`, where a connector speaks to it.
//
// The two differ for Linear alone. The emulator has a part of Linear's schema and refuses whole a
// query that asks for more, so what it lacks is left out of ours on the way: fields and arguments,
// never a root field and never an input. The header `x-left-out` of the answer names each.
import { createServer } from 'node:http';
import { createEmulator } from 'emulate';
import { TypeInfo, buildClientSchema, getIntrospectionQuery, getNamedType, parse, print, visit, visitWithTypeInfo } from 'graphql';

const [service, seed] = process.argv.slice(2);
const emulator = await createEmulator({ service, port: 0, seed: JSON.parse(seed) });
const direct = `http://127.0.0.1:${new URL(emulator.url).port}`;
const url = service === 'linear' ? await narrowing(direct) : direct;
console.log(JSON.stringify({ direct, url }));
// The tests hold our standard input: when they are gone, so are we.
process.stdin.on('end', () => process.exit(0)).resume();

async function narrowing(target) {
  const asked = await post(target, { query: getIntrospectionQuery() });
  const schema = buildClientSchema((await asked.json()).data);
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    let body = Buffer.concat(chunks);
    let leftOut = [];
    if (request.method === 'POST' && request.url === '/graphql') {
      const said = JSON.parse(body.toString());
      const narrow = narrowed(schema, said.query, said.variables ?? {});
      leftOut = narrow.leftOut;
      body = JSON.stringify({ query: narrow.query, variables: narrow.variables });
    }
    const { host, connection, 'content-length': length, 'transfer-encoding': coding, ...headers } = request.headers;
    const sent = body.length > 0 ? { body } : {};
    const answer = await fetch(target + request.url, { method: request.method, headers, redirect: 'manual', ...sent });
    const said = Object.fromEntries([...answer.headers].filter(([name]) => !/^(connection|content-length|transfer-encoding)$/.test(name)));
    response.writeHead(answer.status, { ...said, 'x-left-out': leftOut.join(' ') });
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return `http://127.0.0.1:${server.address().port}`;
}

function post(target, body) {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${target}/graphql`, { method: 'POST', headers, body: JSON.stringify(body) });
}

// The query with what the schema has, and which variables it still uses.
function narrowed(schema, query, variables) {
  let document;
  try {
    document = parse(query);
  } catch {
    return { query, variables, leftOut: [] };
  }
  const declared = {};
  visit(document, {
    VariableDefinition(node) {
      let type = node.type;
      while (type.type) type = type.type;
      declared[node.variable.name.value] = type.name.value;
    },
  });
  const leftOut = new Set();
  const info = new TypeInfo(schema);
  const roots = [schema.getQueryType(), schema.getMutationType()];
  document = visit(document, visitWithTypeInfo(info, {
    Field(node) {
      const parent = info.getParentType();
      if (!parent || info.getFieldDef() || roots.includes(parent)) return undefined;
      leftOut.add(`${parent.name}.${node.name.value}`);
      return null;
    },
    Argument(node) {
      const field = info.getFieldDef();
      const argument = info.getArgument();
      const type = node.value.kind === 'Variable' ? declared[node.value.name.value] : undefined;
      if (!field || (argument && (!type || type === getNamedType(argument.type).name))) return undefined;
      leftOut.add(`${info.getParentType().name}.${field.name}(${node.name.value})`);
      return null;
    },
  }));
  const used = new Set();
  visit(document, {
    VariableDefinition: () => false,
    Variable(node) {
      used.add(node.name.value);
    },
  });
  document = visit(document, {
    VariableDefinition: (node) => (used.has(node.variable.name.value) ? undefined : null),
  });
  const kept = Object.entries(variables).filter(([name]) => used.has(name));
  return { query: print(document), variables: Object.fromEntries(kept), leftOut: [...leftOut] };
}
