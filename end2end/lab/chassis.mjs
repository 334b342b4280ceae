// What ipmi_sim calls to read and set the power switch: passes the words on to the machine's socket.
// node chassis.mjs SOCKET get|set|check WORD…
import { connect } from "node:net";

const [path, ...words] = process.argv.slice(2);
if (words[0] !== "check") {
  const socket = connect(path).once("error", (error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
  socket.end(words.join(" "));
  socket.pipe(process.stdout);
}
