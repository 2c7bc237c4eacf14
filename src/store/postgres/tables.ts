import { generationMax, keyBytesMax, lockTimeoutMs, refusedTextsMax } from "../../core/limits.ts";
import { literal, type Names } from "./names.ts";

/** One block, so that of several programs that start at once one makes the tables and the others find them. */
export function migration(names: Names): string {
  const { schema, version } = names;
  return `
declare
  installed integer;
begin
  perform pg_advisory_xact_lock(hashtext('holdfast'), hashtext(${literal(schema)}));
  if to_regnamespace(${literal(schema)}) is null then
    create schema ${schema};
  end if;
  if to_regclass(${literal(version)}) is null then
    create table ${version} (
      only_row boolean primary key default true check (only_row),
      version integer not null
    );
  end if;
  select max(v.version) into installed from ${version} v;
  if installed is null or installed = 1 then
    ${firstVersion(names)}
    insert into ${version} (version) values (1) on conflict do nothing;
  end if;
end`;
}

/** Whether the table of intents is not there: tables of before there were any have none. */
export function isWithoutIntents({ intents }: Names): string {
  return `to_regclass(${literal(intents)}) is null`;
}

/** How many of the parts are not there, though a table says which version they are of: somebody may have dropped one. */
export function countMissing(
  { documents, history, refused, commit, settle, notify }: Names,
): string {
  const tables = [documents, history, refused].map((name) => `to_regclass(${literal(name)})`);
  const functions = [commit, settle, notify].map((name) => `to_regproc(${literal(name)})`);
  return `num_nulls(${[...tables, ...functions].join(", ")})`;
}

function firstVersion(names: Names): string {
  const { documents, history, refused, intents, notify, changed, truncated } = names;
  const generation = `bigint not null default 0 check (generation between 0 and ${generationMax})`;
  const madeDocuments = `
    create table ${documents} (
      key text primary key check (octet_length(key) between 1 and ${keyBytesMax}),
      document text,
      generation ${generation},
      hash text not null default ''
    );
    create trigger ${changed} after insert or update or delete on ${documents}
      for each row execute function ${notify}();
    create trigger ${truncated} after truncate on ${documents}
      for each statement execute function ${notify}();`;
  const madeHistory = `
    create table ${history} (
      key text not null,
      generation ${generation},
      parent bigint not null,
      parent_hash text not null,
      id text not null,
      hash text not null,
      at text not null,
      origin text not null,
      calls text not null,
      document text,
      primary key (key, generation)
    );`;
  const madeRefused = `
    create table ${refused} (
      number bigint generated always as identity primary key,
      key text not null,
      at text not null,
      document text not null
    );`;
  const madeIntents = `
    create table ${intents} (
      key text primary key,
      id text not null,
      intent text not null
    );`;
  return [
    ...[commitFunction(names), settleFunction(names), notifyFunction(names)].map(createFunction),
    whereMissing(documents, madeDocuments),
    whereMissing(history, madeHistory),
    whereMissing(refused, madeRefused),
    whereMissing(intents, madeIntents),
  ].join("\n");
}

/** Makes a table anew that somebody dropped. At first there must be none: one of that name is somebody else's, and an error. */
function whereMissing(table: string, statements: string): string {
  const isMissing = `to_regclass(${literal(table)}) is null`;
  return `if installed is null or ${isMissing} then ${statements} end if;`;
}

/** A function made by a text that is quoted as a whole: a name within it can end no quotation. */
function createFunction(
  { head, body }: { readonly head: string; readonly body: string },
): string {
  // Whoever locks a row for long is not waited for long; names are looked up nowhere else.
  const settings = `set search_path = pg_catalog, pg_temp set lock_timeout = '${lockTimeoutMs}ms'`;
  return `create or replace function ${head} language plpgsql ${settings} as ${literal(body)};`;
}

/**
 * A whole commit as one statement. The server carries it out to its end, or not at all, whatever becomes of the client, so
 * that nobody who went away holds a lock.
 */
function commitFunction({ commit, documents, history, refused }: Names) {
  const head =
    `${commit}(given_key text, given_version text, given_base bigint, given_base_hash text,
      given_kept bigint, given_aside boolean, given_document text, given_hash text, given_id text,
      given_at text, given_origin text, given_calls text) returns text`;
  const body = `
declare
  head record;
  last record;
  made bigint;
  made_version text;
  parent bigint;
  parent_hash text;
begin
  select d.generation, d.hash, d.document, d.xmin::text || ' ' || d.ctid::text as version
    into head from ${documents} d where d.key = given_key for update;
  select h.generation, h.hash into last
    from ${history} h where h.key = given_key order by h.generation desc limit 1;
  if head.version is distinct from given_version then
    return json_build_array('conflict', coalesce(greatest(head.generation, last.generation), 0)::text)::text;
  end if;
  if last.generation >= coalesce(head.generation, 0) then
    parent := last.generation;
    parent_hash := last.hash;
  else
    parent := coalesce(head.generation, 0);
    parent_hash := coalesce(head.hash, '');
  end if;
  if given_base > parent then
    parent := given_base;
    parent_hash := given_base_hash;
  end if;
  made := parent + 1;
  insert into ${history} (key, generation, parent, parent_hash, id, hash, at, origin, calls, document)
    values (given_key, made, parent, parent_hash, given_id, given_hash, given_at, given_origin, given_calls, given_document);
  if given_aside and head.document is not null then
    insert into ${refused} (key, at, document) values (given_key, given_at, head.document);
    delete from ${refused} r where r.key = given_key and r.number <= (
      select o.number from ${refused} o where o.key = given_key order by o.number desc offset ${refusedTextsMax} limit 1);
  end if;
  if given_version is null then
    insert into ${documents} as d (key, document, generation, hash)
      values (given_key, given_document, made, given_hash)
      on conflict do nothing returning d.xmin::text || ' ' || d.ctid::text into made_version;
    if made_version is null then
      raise exception 'somebody was quicker' using errcode = '40001';
    end if;
  else
    update ${documents} d set document = given_document, generation = made, hash = given_hash
      where d.key = given_key returning d.xmin::text || ' ' || d.ctid::text into made_version;
  end if;
  delete from ${history} h where h.key = given_key and h.generation <= (
    select o.generation from ${history} o where o.key = given_key order by o.generation desc offset given_kept limit 1);
  return json_build_array('made', made::text, made_version, parent::text, parent_hash)::text;
end`;
  return { head, body };
}

/**
 * Finds out what became of a commit whose answer was lost, for good: it gives the row another version, so that the commit,
 * should it still be on its way, finds that the document is not what it saw.
 */
function settleFunction({ settle, documents, history }: Names) {
  const head = `${settle}(given_key text, given_id text) returns text`;
  const body = `
declare
  landed record;
begin
  update ${documents} d set generation = d.generation where d.key = given_key;
  if not found then
    insert into ${documents} (key) values (given_key) on conflict do nothing;
  end if;
  select h.generation, h.parent, h.parent_hash into landed
    from ${history} h where h.key = given_key and h.id = given_id;
  if landed.generation is null then
    return json_build_array('lost', coalesce(
      (select max(h.generation) from ${history} h where h.key = given_key), 0)::text)::text;
  end if;
  return json_build_array('made', landed.generation::text, null, landed.parent::text, landed.parent_hash)::text;
end`;
  return { head, body };
}

/** Tells of every change, whoever made it, by the key and the generation: a notification has room for little. */
function notifyFunction({ notify, channel }: Names) {
  const tell = (what: string) => `perform pg_notify(${literal(channel)}, ${what}::text);`;
  const body = `
begin
  if tg_op = 'TRUNCATE' then
    ${tell("json_build_object()")}
    return null;
  end if;
  if tg_op <> 'INSERT' then
    if tg_op = 'DELETE' or old.key <> new.key then
      ${tell("json_build_object('key', old.key)")}
    end if;
  end if;
  if tg_op = 'INSERT' then
    ${tell("json_build_object('key', new.key, 'generation', new.generation)")}
  elsif tg_op = 'UPDATE' and new is distinct from old then
    ${tell("json_build_object('key', new.key, 'generation', new.generation)")}
  end if;
  return null;
end`;
  return { head: `${notify}() returns trigger`, body };
}
