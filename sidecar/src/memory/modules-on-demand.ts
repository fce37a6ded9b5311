/**
 * Node's TLS. It is loaded when a connection needs it, as it takes some MiB that a process without TLS, or without work, need
 * not have.
 */
export const nodeTls = () => process.getBuiltinModule('node:tls');

/** As `nodeTls`. */
export const nodeHttps = () => process.getBuiltinModule('node:https');
