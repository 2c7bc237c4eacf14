/** What the compiler must know of the public API. Nothing here runs: `npm run check -- types types-deno` compiles it. */
import * as v from "valibot";
import {
  type ChangeSet,
  type Config,
  createReloader,
  type DeepReadonly,
  isHoldfastError,
  type Json,
  memory,
  type Module,
  openConfig,
  type Problem,
  type ReadonlyConfig,
  type Reloader,
  restartRequired,
  secret,
  type Snapshot,
  type Source,
  type StandardSchema,
  validate,
  warnIf,
} from "../mod.ts";

type Same<One, Other> = (<T>() => T extends One ? 1 : 2) extends (<T>() => T extends Other ? 1 : 2)
  ? true
  : false;

function expect<_Fact extends true>(): void {}

const schema = v.object({
  version: v.literal(2),
  models: v.record(v.string(), v.object({ upstream: v.string(), tags: v.array(v.string()) })),
  rate: v.optional(v.pipe(v.number(), warnIf((rate) => rate > 9, "is high")), 1),
  token: v.pipe(v.string(), v.minLength(1), secret()),
  port: v.pipe(v.number(), restartRequired()),
  range: v.tuple([v.number(), v.string()]),
  seconds: v.pipe(v.string(), v.transform(Number)),
});

interface ModelValue {
  readonly upstream: string;
  readonly tags: readonly string[];
}

export async function theValueIsTheSchemasOutputReadOnly(): Promise<void> {
  const config = await openConfig("config.json", { schema });
  expect<Same<typeof config.value.rate, number>>();
  expect<Same<typeof config.value.seconds, number>>();
  expect<Same<typeof config.value.range, readonly [number, string]>>();
  const model: ModelValue | undefined = config.value.models["fast"];
  void model;
  // @ts-expect-error a value cannot be written
  config.value.rate = 2;
  // @ts-expect-error at no depth
  config.value.models["fast"]!.tags.push("a");
  // @ts-expect-error nor replaced
  config.value = config.snapshot().value;
  // @ts-expect-error a snapshot is frozen too
  config.snapshot().generation = 1;
}

export async function writesTakeTheSchemasInput(): Promise<void> {
  const config = await openConfig("config.json", { schema });
  const document = {
    version: 2 as const,
    models: {},
    token: "t",
    port: 1,
    range: [1, "a"] as [number, string],
    seconds: "5",
  };
  const { snapshot, changeSet } = await config.set(document, { expectedGeneration: 1, actor: "a" });
  expect<Same<typeof changeSet, ChangeSet>>();
  expect<Same<typeof snapshot.value.seconds, number>>();
  // @ts-expect-error the input's seconds are a string
  await config.set({ ...document, seconds: 5 });
  await config.update((draft, value) => {
    draft.rate = value.rate + 1;
    (draft.models["fast"] ??= { upstream: "u", tags: [] }).tags.push("t");
    // @ts-expect-error the draft is the input
    draft.seconds = 5;
    // @ts-expect-error the value is read-only
    value.rate = 5;
  });
  // @ts-expect-error a seed is an input as well
  await openConfig("config.json", { schema, seed: { version: 2 } });
}

export async function listenersKnowTheirPart(): Promise<void> {
  const config = await openConfig("config.json", { schema });
  config.subscribe((next, previous, changeSet) => {
    expect<Same<typeof next, typeof config.value>>();
    expect<Same<typeof previous, typeof config.value>>();
    expect<Same<typeof changeSet, ChangeSet>>();
  });
  config.subscribe((_next, previous, changeSet) => {
    expect<Same<typeof previous, typeof config.value | undefined>>();
    expect<Same<typeof changeSet, ChangeSet | undefined>>();
  }, { immediate: true });
  config.subscribe((value) => value.rate, (rate, previous) => {
    expect<Same<typeof rate, number>>();
    expect<Same<typeof previous, number>>();
  }, { equals: (one, other) => one - other < 1 });
  for await (const change of config.changes()) expect<Same<typeof change, ChangeSet>>();
}

export async function brandsStayAndImmediateIsBelieved(immediate: boolean): Promise<void> {
  const branded = v.object({ id: v.pipe(v.string(), v.brand("Id")) });
  const config = await openConfig("config.json", { schema: branded });
  const id: string & v.Brand<"Id"> = config.value.id;
  void id;
  config.subscribe((_next, previous) => {
    // @ts-expect-error it may be called at once, with nothing before
    previous.id;
  }, { immediate });
}

export async function sourcesThatAreNoStoresCannotBeWritten(source: Source): Promise<void> {
  const config = await openConfig(source, { schema });
  expect<Same<typeof config, ReadonlyConfig<v.InferOutput<typeof schema>>>>();
  // @ts-expect-error there is no set
  config.set;
}

export async function otherSchemasAndNone(odd: StandardSchema<string, number>): Promise<void> {
  const plain = await openConfig(memory({ a: 1 }));
  expect<Same<typeof plain, Config<Json, Json>>>();
  const read: DeepReadonly<Json> = plain.value;
  void read;
  const config = await openConfig("config.json", { schema: odd });
  expect<Same<typeof config, Config<string, number>>>();
  const result = validate(schema, {});
  if (result.ok) expect<Same<typeof result.value, DeepReadonly<v.InferOutput<typeof schema>>>>();
  expect<Same<typeof result.problems, readonly Problem[]>>();
}

export async function whatAModulePreparesIsWhatItGets(): Promise<void> {
  const config = await openConfig("config.json", { schema });
  config.module({
    name: "models",
    select: ({ models }) => Object.keys(models),
    prepare: async (names, { previous }) => {
      expect<Same<typeof previous, string[]>>();
      return await Promise.resolve(new Map(names.map((name) => [name, 1])));
    },
    reconfigure: (_, { prepared }) => {
      expect<Same<typeof prepared, Map<string, number> | undefined>>();
    },
  });
}

export async function modulesOfDifferentPartsStandInOneList(): Promise<void> {
  const config = await openConfig("config.json", { schema });
  const models = config.module({
    name: "models",
    select: (value) => ({ names: Object.keys(value.models), token: value.token }),
    reconfigure: ({ names, token }, { previous, snapshot, prepared }) => {
      expect<Same<typeof names, string[]>>();
      expect<Same<typeof previous.token, typeof token>>();
      expect<Same<typeof snapshot.value.rate, number>>();
      expect<Same<typeof prepared, unknown>>();
    },
  });
  const rate = config.module({ name: "rate", select: (value) => value.rate });
  // @ts-expect-error a misspelt function is noticed
  config.module({ name: "range", select: (value) => value.range, reconfigurate() {} });
  // @ts-expect-error the value has no such part
  config.module({ name: "other", select: (value) => value.other });
  const named = (name: string) => {
    return config.module({ name, select: ({ models }) => models[name]?.upstream });
  };
  const first: readonly Module<v.InferOutput<typeof schema>>[] = [models, rate];
  createReloader(config, { modules: () => first });
  createReloader(config, { modules: () => [models, rate] as const });
  createReloader(config, { modules: ({ models }) => [rate, ...Object.keys(models).map(named)] });
  const other = await openConfig(memory({ size: 1 }), { schema: v.object({ size: v.number() }) });
  // @ts-expect-error modules of another config see another value
  createReloader(other, { modules: () => [rate] });
}

export async function aReloaderKnowsWhatServes(): Promise<void> {
  const config = await openConfig("config.json", { schema });
  class Program {
    readonly modules = [config.module({ name: "rate", select: (value) => value.rate })];
    start(): void {}
    async stop(): Promise<void> {}
  }
  const reloader = createReloader(config, {
    modules: (value, program) => value.rate > 1 ? program.modules : [],
    fullReload: {
      instance: new Program(),
      build: async ({ value }, { previous }) => {
        expect<Same<typeof value, typeof previous.value>>();
        return await Promise.resolve(new Program());
      },
      start: (program) => program.start(),
      stop: (program) => program.stop(),
    },
  });
  expect<Same<typeof reloader, Reloader<Program>>>();
  const byFunction = createReloader(config, {
    fullReload: async ({ value }, previous) => {
      expect<Same<typeof value, typeof previous.value>>();
    },
  });
  expect<Same<typeof byFunction.instance, undefined>>();
  const source: Source = memory({});
  const readonly = await openConfig(source, { schema });
  const rate = readonly.module({ name: "rate", select: (value) => value.rate });
  createReloader(readonly, { modules: () => [rate] });
}

export async function aPlanIsToldApartByWhetherItIsAccepted(): Promise<void> {
  const config = await openConfig("config.json", { schema });
  const plan = await config.plan({ rate: 2 });
  // @ts-expect-error a refused one has no actions
  void plan.actions;
  if (!plan.ok) return;
  for (const action of plan.actions) {
    if (action.kind === "reconfigure") expect<Same<typeof action.module, string>>();
  }
  const healthCheck = ({ value }: Snapshot<v.InferOutput<typeof schema>>) => value.rate > 0;
  await config.apply(plan, { healthCheck, confirmWithinMs: 1000 });
  // @ts-expect-error the plan says which generation it is for
  await config.apply(plan, { expectedGeneration: 1 });
}

export function errorsAreToldApartByTheirCode(error: unknown): number | string {
  if (isHoldfastError(error, "CONFLICT")) return error.details.current;
  if (!isHoldfastError(error)) throw error;
  switch (error.code) {
    case "PARSE":
      return error.details.line;
    case "IO":
      return error.details.errno;
    case "INVALID":
      // @ts-expect-error only PARSE has a line
      return error.details.line;
    default:
      return error.message;
  }
}
