// A device, or a module of one if the connection string has a ModuleId, on Microsoft's client. Does what the lines of standard input say, and says what happens, in lines of JSON.
//
//     node device.js CONNECTION-STRING CA-FILE [CERTIFICATE-FILE KEY-FILE]
//
// With TOKEN_LIFE_S in the environment its tokens live so long, and are renewed TOKEN_MARGIN_S before their end.
//
//     {"do": "open"}                                       {"done": "open"}
//     {"do": "event", "payload": T, "properties": {…}}     {"done": "event"}
//     {"do": "twin"}                                       {"done": "twin", "desired": {…}, "reported": {…}}, then {"desired": {…}} for each change
//     {"do": "report", "patch": {…}}                       {"done": "report"}
//     {"do": "method", "name": N, "status": S}             {"done": "method"}, then {"method": N, "payload": P} for each call, answered with its payload
//     {"do": "messages"}                                   {"done": "messages"}, then {"message": T, "id": I, "properties": {…}} for each, completed
//     {"do": "close"}                                      {"done": "close"}, and the end
//
// What fails says {"failed": WHAT, "error": NAME}; a lost connection says {"lost": true}, a new token {"renewed": true}.
'use strict';
const fs = require('fs');
const readline = require('readline');
const {
  Client, Message, ModuleClient, SharedAccessKeyAuthenticationProvider, X509AuthenticationProvider,
} = require('azure-iot-device');
const { Mqtt } = require('azure-iot-device-mqtt');

const [connectionString, caFile, certificateFile, keyFile] = process.argv.slice(2);
const read = (file) => fs.readFileSync(file, 'utf8');
const isModule = connectionString.includes(';ModuleId=');
const { TOKEN_LIFE_S, TOKEN_MARGIN_S } = process.env;

function makeClientWithToken() {
  const Kind = isModule ? ModuleClient : Client;
  if (!TOKEN_LIFE_S) return Kind.fromConnectionString(connectionString, Mqtt);
  const provider = SharedAccessKeyAuthenticationProvider.fromConnectionString(
    connectionString, Number(TOKEN_LIFE_S), Number(TOKEN_MARGIN_S),
  );
  provider.on('newTokenAvailable', () => say({ renewed: true }));
  return Kind.fromAuthenticationProvider(provider, Mqtt);
}

// With a certificate the client drops the gateway's name from the connection string, and with it the port.
function makeClient() {
  if (!certificateFile) return makeClientWithToken();
  const field = (name) => connectionString.split(';').find((part) => part.startsWith(`${name}=`)).slice(name.length + 1);
  const credentials = {
    host: field('HostName'),
    deviceId: field('DeviceId'),
    gatewayHostName: field('GatewayHostName'),
    x509: { cert: read(certificateFile), key: read(keyFile) },
  };
  return Client.fromAuthenticationProvider(new X509AuthenticationProvider(credentials), Mqtt);
}

const say = (object) => process.stdout.write(JSON.stringify(object) + '\n');

const client = makeClient();
let twin;

const actions = {
  async open() {
    await client.setOptions({ ca: read(caFile) });
    client.on('disconnect', () => say({ lost: true }));
    client.on('error', (error) => say({ failed: 'connection', error: error.name }));
    await client.open();
  },

  async event({ payload, properties }) {
    const message = new Message(payload);
    for (const [name, value] of Object.entries(properties || {})) message.properties.add(name, value);
    await client.sendEvent(message);
  },

  async twin() {
    twin = await client.getTwin();
    const { desired } = twin.properties;
    const reported = JSON.parse(JSON.stringify(twin.properties.reported));
    // What is desired at the beginning is told at the registration, too.
    let first = true;
    twin.on('properties.desired', (delta) => { if (!first) say({ desired: delta }); });
    await new Promise((resolve) => { setImmediate(resolve); });
    first = false;
    return { desired, reported };
  },

  report({ patch }) {
    return new Promise((resolve, reject) => {
      twin.properties.reported.update(patch, (error) => (error ? reject(error) : resolve()));
    });
  },

  async method({ name, status }) {
    const answer = (request, response) => {
      say({ method: name, payload: request.payload });
      response.send(status, request.payload, () => {});
    };
    if (isModule) client.onMethod(name, answer);
    else client.onDeviceMethod(name, answer);
  },

  async messages() {
    client.on('message', (message) => {
      const properties = {};
      for (let i = 0; i < message.properties.count(); i++) {
        const item = message.properties.getItem(i);
        properties[item.key] = item.value;
      }
      say({ message: message.getData().toString(), id: message.messageId, properties });
      client.complete(message, (error) => { if (error) say({ failed: 'complete', error: error.name }); });
    });
  },

  async close() {
    await client.close();
  },
};

async function obey(line) {
  const order = JSON.parse(line);
  try {
    say({ done: order.do, ...await actions[order.do](order) });
  } catch (error) {
    say({ failed: order.do, error: error.name });
  }
  if (order.do === 'close') process.exit(0);
}

let last = Promise.resolve();
readline.createInterface({ input: process.stdin })
  .on('line', (line) => { last = last.then(() => obey(line)); })
  .on('close', () => process.exit(0));
