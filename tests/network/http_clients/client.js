// SPDX-License-Identifier: BSL-1.0
// client.js <agent|fetch> <mode> ...: as client.py.
const http = require("http");
const [kind, mode, host, port, count, ...more] = process.argv.slice(2);
const url = `http://${host}:${port}/`;
const limit = mode === "idle" ? 2000 : 60000;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function byAgent(agent, method, body, headers) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, agent, headers, timeout: limit }, (reply) => {
      reply.resume();
      reply.on("end", () => resolve(reply.statusCode));
      reply.on("error", reject);
    });
    request.on("timeout", () => request.destroy(new Error("timed out")));
    request.on("error", reject);
    request.end(body);
  });
}

async function byFetch(method, body, headers) {
  const reply = await fetch(url, { method, body, headers, signal: AbortSignal.timeout(limit) });
  await reply.arrayBuffer();
  return reply.status;
}

async function main() {
  const seen = { ok: 0, failed: 0, hung: 0 };
  for (let i = 0; i < Number(count); ++i) {
    const agent = new http.Agent({ keepAlive: mode !== "close", maxSockets: 1 });
    const send = (method, body, headers = {}) =>
      kind === "agent" ? byAgent(agent, method, body, headers) : byFetch(method, body, headers);
    try {
      if (mode === "idle") {
        const [method, low, high] = [more[0], Number(more[1]), Number(more[2])];
        const body = method === "POST" ? "x" : undefined;
        if ((await send(method, body)) !== 200) continue;
        await sleep(1000 * (low + Math.random() * (high - low)));
        seen[(await send(method, body)) === 200 ? "ok" : "failed"]++;
      } else if (mode === "upload") {
        seen[(await send("POST", Buffer.alloc(Number(more[0])))) === 413 ? "ok" : "failed"]++;
      } else {
        seen[(await send("GET", undefined, { Connection: "close" })) === 200 ? "ok" : "failed"]++;
      }
    } catch (error) {
      const text = String(error) + String(error.cause);
      seen[text.includes("imed out") || text.includes("imeout") ? "hung" : "failed"]++;
    }
    agent.destroy();
  }
  console.log(JSON.stringify(seen));
  process.exit(0);
}

main();
