// Modules of Node itself, not by `import`: that evaluates all that they export, of which node:http
// loads a whole `fetch` and node:tls every root certificate. It would cost each command 30 ms, more
// than all of our own requests take.

export const http = process.getBuiltinModule("node:http");
export const tls = process.getBuiltinModule("node:tls");
