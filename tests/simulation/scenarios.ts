import type { CountedDocument } from "./calls.ts";
import type { Scenario, Stage } from "./crash_states.ts";
import { configPath, recordNumber } from "./log_files.ts";

const first: CountedDocument = { count: 0, log: ["first"] };
const edited: CountedDocument = { count: 5, log: ["edited"] };

function documentAfter(count: number): CountedDocument {
  const log = Array.from({ length: count }, (_, index) => `call ${index + 1}`);
  return { count, log: ["first", ...log] };
}

async function countUp(stage: Stage): Promise<void> {
  await stage.config!.update((draft) => {
    draft.count = (draft.count ?? 0) + 1;
    draft.log = [...draft.log ?? [], `call ${draft.count}`];
  });
}

/** A file without a log, durable. */
function putFile({ disk }: Stage): void {
  disk.outside.writeFile(configPath, JSON.stringify(first), { mode: 0o600 });
  disk.outside.sync();
}

/** A config with some generations. */
async function withGenerations(stage: Stage, count: number, options?: object): Promise<void> {
  putFile(stage);
  stage.config = await stage.open(options);
  for (let made = 0; made < count; made++) await countUp(stage);
}

function editWith(text: string): (stage: Stage) => Promise<void> {
  return async (stage) => {
    await withGenerations(stage, 2);
    stage.disk.outside.replaceFile(configPath, text, { mode: 0o600 });
  };
}

/** Everything that changes the disk, each from a state in which it finds something to do. */
export const scenarios: readonly Scenario[] = [
  {
    name: "the first write of all",
    prepare: () => Promise.resolve(),
    act: async (stage) => {
      stage.config = await stage.open({ seed: first });
    },
    outcomes: [undefined, first],
  },
  {
    name: "the first write over a file without a log",
    prepare: (stage) => withGenerations(stage, 0),
    act: countUp,
    outcomes: [first, documentAfter(1)],
  },
  {
    name: "a commit",
    prepare: (stage) => withGenerations(stage, 2),
    act: countUp,
    outcomes: [documentAfter(2), documentAfter(3)],
  },
  {
    name: "two commits, one after the other",
    prepare: (stage) => withGenerations(stage, 1),
    act: async (stage) => {
      await countUp(stage);
      await countUp(stage);
    },
    outcomes: [documentAfter(1), documentAfter(2), documentAfter(3)],
  },
  {
    name: "the adoption of an edit",
    prepare: editWith(JSON.stringify(edited)),
    act: (stage) => stage.config!.reload(),
    outcomes: [documentAfter(2), edited],
  },
  {
    name: "a commit over an edit that was refused",
    prepare: async (stage) => {
      await editWith("{")(stage);
      stage.disk.outside.sync();
      await stage.config!.reload().catch(() => {});
    },
    act: countUp,
    outcomes: [documentAfter(2), documentAfter(3)],
  },
  {
    name: "a rollback",
    prepare: (stage) => withGenerations(stage, 3),
    act: (stage) => stage.config!.rollback(2),
    outcomes: [documentAfter(3), documentAfter(1)],
  },
  {
    name: "a removal",
    prepare: (stage) => withGenerations(stage, 2),
    act: (stage) => stage.config!.remove(),
    outcomes: [documentAfter(2), undefined],
  },
  {
    name: "a collection",
    prepare: (stage) => withGenerations(stage, 18, { history: 2 }),
    act: async (stage) => {
      await countUp(stage);
      await stage.disk.settle();
    },
    outcomes: [documentAfter(18), documentAfter(19)],
  },
  {
    name: "a recovery",
    prepare: async (stage) => {
      await withGenerations(stage, 2);
      // Killed right after the number was taken: the newest record is not published yet.
      let isTaken = false;
      stage.host.faults = ({ operation, path }) => {
        if (isTaken) return new Promise<void>(() => {});
        isTaken = operation === "link" && recordNumber(path) !== undefined;
        return undefined;
      };
      void countUp(stage);
      await stage.disk.settle();
      stage.host.kill();
      stage.host = stage.disk.process();
    },
    act: async (stage) => {
      stage.config = await stage.open();
    },
    outcomes: [documentAfter(2), documentAfter(3)],
  },
];
