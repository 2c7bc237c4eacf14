/** The largest document read or written, in bytes of its text. */
export const documentBytesMax: number = 64 * 1024 * 1024;

/** The largest file of a last good document read, in bytes: it may be indented, and hold what layers came to besides. */
export const keptBytesMax: number = 4 * documentBytesMax;

/** How many files may be extended by one. */
export const extendedFilesMax: number = 100;

/** How many config files a directory may hold. */
export const directoryFilesMax: number = 1000;

/** How many names of variables are made from a schema, which may be recursive. */
export const variableNamesMax: number = 10_000;

/** The largest file of variables read, in bytes. */
export const variablesFileBytesMax: number = 1024 * 1024;

/** The deepest nesting of a document, in levels: recursion over a document is safe up to here. */
export const depthMax: number = 128;

/** How long hints must be quiet before a source is read again, in milliseconds. */
export const debounceMsDefault: number = 250;

/** How long a read can be put off by hints that never fall quiet, in milliseconds. */
export const maxWaitMsDefault: number = 750;

/** How often a source is looked at where no event came, in milliseconds. */
export const pollMsDefault: number = 500;

/** How large a file must be, in bytes, for looks to go by its size and times where these say that it is the same. */
export const glancedBytesMin: number = 256 * 1024;

/** How long ago a file must have changed, in milliseconds, for its times to tell one change from the next. */
export const settledAgeMs: number = 2000;

/** How often a file is read though its size and times say that it is the same, in milliseconds. */
export const rereadMs: number = 60_000;

/** How many of the places that a change alters are tried on the modules' selectors, to find which of them depend on it. */
export const triedPlacesMax: number = 2000;

/** How many selections are tried to find which modules depend on which of those places. */
export const trialsMax: number = 25_000;

/** How long a module that ran out of time is given to come to its end, in milliseconds. */
export const lateGraceMs: number = 250;

/** How long a caller waits for an answer, in milliseconds. */
export const timeoutMsDefault: number = 5000;

/** How old a temporary file must be before it counts as left behind by a dead writer, in milliseconds. */
export const orphanAgeMs: number = 60_000;

/** How often what dead writers left behind is looked for, in milliseconds. */
export const sweepMs: number = 1000;

/** How often a rename is tried where another program may hold the target open (Windows). */
export const renameAttemptsMax: number = 8;

/** How often a change is computed anew because the document moved on underneath it. */
export const conflictAttemptsMax: number = 1000;

/** How many of the problems of one document get the line and column where they stand. */
export const problemsLocatedMax: number = 100;

/** How many generations are kept, besides those that wait to be collected. */
export const historyDefault: number = 50;

/** How many records are collected together, so that not every commit pays for it. */
export const collectionBatch: number = 16;

/** How many of the generations seen at one look have their calls told. */
export const generationsToldMax: number = 50;

/** How many generations are reserved at once in the mark that outlives the log. */
export const markedGenerations: number = 1000;

/** How many looks at several sources are taken until two in a row agree, before the last counts as it is. */
export const agreeingLooksMax: number = 20;

/** How many of the values that one write gives are checked for a layer that hides them. */
export const hiddenValuesMax: number = 20;

/** How many of the places that one call changed are recorded. */
export const callChangesMax: number = 100;

/** How many refused texts are kept beside the history. */
export const refusedTextsMax: number = 50;

/** How often a look is repeated because the files changed while it was taken. */
export const looksMax: number = 100;

/** How often a name that leads nowhere is looked at before it is taken for a link to nothing. */
export const danglingLooksMax: number = 10;

/** How long a published file may lag behind the newest record before a follower brings it up to date, in milliseconds. */
export const publicationLagMs: number = 200;

/** How many operations a JSON Patch may have: each may have to move every element of a large array. */
export const patchOperationsMax: number = 10_000;

/** How many listings a writer waits for another whose turn it is, and who does not commit. */
export const spinsMax: number = 10;

/** How many of those it waits for the next one, where the one before was given up and nobody commits. */
export const deadSpins: number = 1;

/** How many looks at the one before it a writer in line takes from one listing to the next. */
export const glancesMax: number = 10;

/** How many generations after it came a writer in line is taken for dead. */
export const turnAgeMax: number = 64;

/** How long a file that was the config file is kept for an editor that may still write into it, in milliseconds. */
export const editorGraceMs: number = 500;

/** The greatest generation. Greater numbers are of somebody else: counting on from them would leave the safe integers. */
export const generationMax: number = 2 ** 52;

/** How long the calls of one commit are put together before the rest waits for the next one, in milliseconds. */
export const composeMsMax: number = 50;

/** How many pairs of elements of two versions of an array are compared to find which became which. */
export const alignedPairsMax: number = 40_000;

/** How long a JSON text may be, in characters, to be edited in place; a longer one is formatted anew, which takes less time. */
export const editedLengthMax: number = 4 * 1024 * 1024;

/** The longest YAML text, in characters: reading it takes many times as long as reading JSON. */
export const yamlLengthMax: number = 2 * 1024 * 1024;

/** The longest JSONC text, in characters: its values and their places may take 200 times as much memory. */
export const jsoncLengthMax: number = 8 * 1024 * 1024;

/** The longest TOML text, in characters: its values and their places may take 200 times as much memory. */
export const tomlLengthMax: number = 8 * 1024 * 1024;

/** How many values aliases may stand for in one YAML document, those within them counted too. */
export const aliasedValuesMax: number = 100_000;

/** How often a statement is sent whose connection broke, or whose server gave way to somebody else. */
export const queryAttemptsMax: number = 3;

/** How long to wait before a server is asked once more what became of a commit, in milliseconds. */
export const settlePauseMs: number = 100;

/** The longest key of a document in PostgreSQL, in bytes: it has to fit into an index and into a notification. */
export const keyBytesMax: number = 512;

/** How long a server is waited for that is asked for a whole document or a commit, in milliseconds. */
export const queryTimeoutMs: number = 5000;

/** How long a server is waited for that is asked whether anything changed, in milliseconds. */
export const glanceTimeoutMs: number = 2000;

/** How long a commit waits for somebody else who holds the row, in milliseconds. */
export const lockTimeoutMs: number = 3000;

/** How long it is tried to find out what became of a commit whose answer was lost, in milliseconds. */
export const settleMsMax: number = 3000;

/** How long after a change was found its notification may still come, in milliseconds. */
export const notificationLagMs: number = 2000;

/** How long a connection that is only being made to listen is waited for at the end, in milliseconds. */
export const listenMsMax: number = 1000;

/** The longest pause between two attempts to connect that goes without a warning, in milliseconds. */
export const reconnectMsMax: number = 2000;

/** How long after a look at a server failed the next one is taken, in milliseconds. */
export const retryMs: number = 250;

/** The greatest history that a bucket of NATS can have, in revisions of a key. */
export const natsHistoryMax: number = 64;

/** How long NATS is asked before it counts as out of reach, in milliseconds. */
export const natsTimeoutMsDefault: number = 4000;

/** How long NATS can be asked at most, in milliseconds: its client waits by timers of the platform. */
export const natsTimeoutMsMax: number = 2 ** 31 - 1;

/** How much of a message of NATS its headers may take, in bytes. */
export const natsHeaderBytesMax: number = 512;

/** How often NATS is asked within that time: a question that nobody heard is never answered, and must be asked again. */
export const natsAttempts: number = 4;

/** How long to wait before NATS is asked once more, in milliseconds. */
export const natsPauseMs: number = 50;

/** How long answers older than what was seen count as those of a lagging server, in milliseconds. */
export const natsLagMs: number = 10_000;

/** How long after NATS passed a change by it is looked for once more where it was not stored yet, in milliseconds. */
export const natsEchoMs: number = 100;

/** How long a reload that failed is not tried again, in milliseconds; twice as long after each failure. */
export const reloadRetryMs: number = 1000;
/** The longest of those pauses, in milliseconds. */
export const reloadRetryMsMax: number = 60_000;

/** The largest intent kept beside a document, in bytes of JSON. */
export const intentBytesMax: number = 1024;

/** The longest time that a generation can wait to be confirmed, in milliseconds. */
export const confirmMsMax: number = 24 * 60 * 60 * 1000;

/** How often whoever waits for a confirmation shows to be alive, in milliseconds. */
export const confirmBeatMs: number = 1000;

/** How long whoever waits for a confirmation must not have been heard of to count as dead, in milliseconds. */
export const confirmSilenceMs: number = 2500;

/** How often it is looked whether there is a sign of life, in milliseconds. */
export const confirmGlanceMs: number = 250;

/** How long to wait before a revert that failed is tried once more, in milliseconds: at first, and at most. */
export const revertPauseMs: readonly [first: number, max: number] = [1000, 60_000];
/** How often it is tried to hold back less than a whole edit where the schema refuses a part of it beside what runs. */
export const holdAttemptsMax: number = 8;

/** How long a subscriber may be busy with one change before that is told, in milliseconds. */
export const busyMsMax: number = 10_000;

/** How long a secret must be, in characters, to be looked for in what parts of the program say. */
export const hiddenTextMin: number = 3;
