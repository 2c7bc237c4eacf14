import type { Mutant } from "./mutant.ts";

const history = "src/store/nats/history.ts";
const view = "src/store/nats/view.ts";
const put = "src/store/nats/put.ts";
const anew = "services/nats_anew";
const answers = "services/nats_answers";

/** Faults in the store on a key of NATS. */
export const natsMutants: readonly Mutant[] = [
  {
    name: "a record counts after whatever stands at the revision that it was to follow",
    file: history,
    from: "each.revision === revision && each.tag !== tag",
    to: "each.revision === revision && each.tag === undefined",
    tests: anew,
    by: "right before its put",
  },
  {
    name: "a writer trusts what it remembers of the bucket that it wrote to",
    file: history,
    from: "if (there.revision === revision && tagOf(this.#host, there) !== tag) this.forget();",
    to: "",
    tests: anew,
    by: "where the oldest text is the same",
  },
  {
    name: "a bucket that keeps one message is written without a look",
    file: view,
    from: "this.#history.keepsOne ? await this.look() : ",
    to: "",
    tests: anew,
    by: "overwrites nothing, history 1",
  },
  {
    name: "a follower trusts what it remembers of a bucket that was restored",
    file: history,
    from: "message.follows.revision <= remembered",
    to: "remembered < 0",
    tests: anew,
    by: "restored from a backup",
  },
  {
    name: "numbers may fall behind that of a record that does not count",
    file: view,
    from: "this.#highest = Math.max(this.#highest, this.#history.highestIgnored);",
    to: "",
    tests: anew,
    by: "what the history begins with",
  },
  {
    name: "a key counts as unchanged while nothing was put into its bucket",
    file: "src/store/nats/bucket.ts",
    from: "[state.first_seq, state.last_seq, state.messages].join()",
    to: "String(state.last_seq)",
    tests: anew,
    by: "without a mark / is told, and written anew",
  },
  {
    name: "what a swap was lost to is waited for though it is gone",
    file: view,
    from: "          this.#atLeast = 0;\n          return",
    to: "          return",
    tests: anew,
    by: "lost to somebody before that",
  },
  {
    name: "an acknowledgement counts without a look at the history",
    file: put,
    from: "return await outcomeOf(put, acknowledged);",
    to: 'return { kind: "stored", revision: acknowledged };',
    tests: anew,
    by: "right before its put",
  },
  {
    name: "answers older than what was seen count",
    file: view,
    from: "const wanted = Math.max(this.#atLeast, this.revision);",
    to: "const wanted = 0;",
    tests: answers,
    by: "never lead a step back",
  },
  {
    name: "a put without an answer counts as stored nowhere",
    file: put,
    from: 'if (!isOpen) return { kind: "lost", ...lost };',
    to: 'return { kind: "lost", ...lost };',
    also: [{
      from:
        "        const landed = await outcomeOf(put, lost.found ?? 0).catch(() => undefined);\n" +
        "        if (landed === undefined) break;\n        return landed;\n",
      to: "",
    }],
    tests: answers,
    by: "somebody wrote on top of it meanwhile",
  },
];
