// SPDX-License-Identifier: BSL-1.0
// server.js <port> <idle milliseconds>: node:http as a server for comparison.
const http = require("http");
const large = "x".repeat(500000);
const server = http.createServer((request, reply) => {
  if (Number(request.headers["content-length"]) > 1 << 20) {
    reply.writeHead(413, { Connection: "close" });
    reply.end("too large\n");
    return;
  }
  request.resume();
  request.on("end", () => reply.end(request.url === "/large" ? large : "hello\n"));
});
server.keepAliveTimeout = Number(process.argv[3]);
server.listen(Number(process.argv[2]));
process.on("SIGTERM", () => server.close());
