// The page around the module: a clock, timers, a task queue, and output. Everything that the module imports is
// in `imports`, and every browser provides it too.
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
    schedule_run: () => queueMicrotask(() => module.run_ready_tasks()),
    print: (start, length) => {
      console.log(text.decode(new Uint8Array(module.memory.buffer, start, length)));
    },
  },
};

const { instance } = await WebAssembly.instantiate(await readFile(argv[2]), imports);
module = instance.exports;
module.start();
// Node exits when no timer is left, so this shows that the timers of cancelled bodies are removed.
