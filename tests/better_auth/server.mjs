// Better Auth with the options of docs/authentication.md, in memory, on a free port of 127.0.0.1.
import { createServer } from "node:http";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { toNodeHandler } from "better-auth/node";
import { options } from "./options.mjs";

const tables = { user: [], session: [], account: [], verification: [], jwks: [] };
const server = createServer();

server.listen(0, "127.0.0.1", () => {
  const baseURL = `http://127.0.0.1:${server.address().port}`;
  const auth = betterAuth({
    ...options,
    baseURL,
    database: memoryAdapter(tables),
    secret: "a secret of the tests, for cookies and stored keys",
    telemetry: { enabled: false },
  });
  server.on("request", toNodeHandler(auth));
  console.log(baseURL);
});
