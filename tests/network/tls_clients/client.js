// SPDX-License-Identifier: BSL-1.0
// client.js <port> <requests> keep|idle|close: fetches /large and prints how many bytes came. `idle` waits until the
// server has ended the idle connections of the pool. Any error event is a failure.
const https = require('https');

const [port, requests, how] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
// With a bound on its sockets an agent that keeps none still says keep-alive.
const agent = new https.Agent(how === 'close' ? {keepAlive: false} : {keepAlive: true, maxSockets: 2});
const sockets = new Set();
let total = 0;
let open = 0;

function fail(error) {
    console.error(error);
    process.exit(1);
}

function watch(socket) {
    if (sockets.has(socket)) return;
    sockets.add(socket);
    ++open;
    socket.on('error', fail);
    socket.on('close', failed => {
        if (failed) fail(new Error('a socket closed after an error'));
        --open;
    });
}

function fetch() {
    return new Promise(done => {
        const options = {port, host: '127.0.0.1', path: '/large', agent, rejectUnauthorized: false};
        const request = https.get(options, reply => {
            reply.on('data', data => total += data.length);
            reply.on('aborted', () => fail(new Error('aborted')));
            reply.on('error', fail);
            reply.on('end', () => reply.complete ? done() : fail(new Error('not complete')));
        });
        request.on('socket', watch);
        request.on('error', fail);
    });
}

async function main() {
    for (let i = 0; i < requests; i += 2) await Promise.all([fetch(), fetch()]);
    if (how === 'keep') agent.destroy();
    // The agent lets the process end while a connection is idle; here it has to see how that ends.
    if (how === 'idle') sockets.forEach(socket => socket.ref());
    process.on('exit', () => {
        if (open !== 0) process.exitCode = 2; // a connection was left
        console.log(total);
    });
}
main().catch(fail);
