// The page around the module: a clock, timers, a queue of turns, and a place to print to. Everything that the
// module asks of JavaScript is in `imports`, and all of it is in every browser, too.
import { readFile } from "node:fs/promises";
import { argv } from "node:process";

let module;
const timers = new Map();
const text = new TextDecoder();

const imports = {
  host: {
    now: () => performance.now(),
    set_timer: (id, milliseconds) => {
      const fire = () => {
        timers.delete(id);
        module.timer_is_over(id);
      };
      timers.set(id, setTimeout(fire, milliseconds));
    },
    clear_timer: (id) => {
      clearTimeout(timers.get(id));
      timers.delete(id);
    },
    ask_for_turn: () => queueMicrotask(() => module.take_turn()),
    print: (start, length) => {
      console.log(text.decode(new Uint8Array(module.memory.buffer, start, length)));
    },
  },
};

const { instance } = await WebAssembly.instantiate(await readFile(argv[2]), imports);
module = instance.exports;
module.start();
// Node ends when no timer is left: so those of bodies that were stopped are gone.
