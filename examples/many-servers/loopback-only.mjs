// Preloaded into server-everything, which has no option for the address and would listen on every interface:
// anyone who reaches the machine could then go around the proxy and its decision.
import { Server } from "node:net";

const listen = Server.prototype.listen;
Server.prototype.listen = function (port, ...rest) {
  return listen.call(this, { port: Number(port), host: "127.0.0.1" }, ...rest);
};
