/**
 * The seam to a runtime: everything that holdfast asks of the world below it.
 *
 * Each operation is one primitive of the platform, so that a simulated host can stop, fail, shorten or reorder any of
 * them. All are required; what a platform cannot do stands in {@link Capabilities}. A refusal by the operating system
 * is an error of code `IO` with the operation, the path and the errno.
 */
export interface Host {
  /** The runtime's name, such as `node`. */
  readonly name: string;
  /** What the platform can do. */
  readonly capabilities: Capabilities;

  /**
   * Creates a file that did not exist, for writing. Follows no symbolic link at `path`.
   *
   * @param mode the permission bits, set on the handle whatever the umask
   * @throws `IO` with `EEXIST` when anything, even a dangling link, is there
   */
  create(path: string, mode: number): Promise<HostFile>;

  /**
   * Reads a whole regular file and what it is, both from one handle; never waits on a FIFO.
   *
   * @param bytesMax more than this is refused without being read
   * @throws `UNSAFE_FILE` when it is no regular file, `TOO_LARGE` beyond `bytesMax`, `IO` otherwise
   */
  read(path: string, bytesMax: number): Promise<FileRead>;

  /** Makes the content of an existing file durable. */
  sync(path: string): Promise<void>;

  /** Makes the entries of a directory durable. Does nothing where `capabilities.directorySync` is false. */
  syncDirectory(path: string): Promise<void>;

  /** Gives an existing file a second name. Refuses with `EEXIST` where the name is taken, atomically. */
  link(existing: string, path: string): Promise<void>;

  /** Moves a file over another or to a new name, atomically. */
  rename(from: string, to: string): Promise<void>;

  /** Removes one name of a file. */
  remove(path: string): Promise<void>;

  /** Makes a directory and those above it that are missing. An existing one is left as it is. */
  makeDirectory(path: string, mode: number): Promise<void>;

  /** The names in a directory, in no order. */
  list(path: string): Promise<string[]>;

  /** What is at a path, symbolic links followed. */
  stat(path: string): Promise<HostStat>;

  /** The absolute path of something that exists, with every symbolic link resolved. */
  resolve(path: string): Promise<string>;

  /**
   * Watches the entries of one directory, not those below it.
   *
   * An event is only a hint: it can be lost, doubled, late, or about something else.
   *
   * @throws `IO` when watching cannot start
   */
  watch(directory: string, options: WatchOptions): Promise<HostWatch>;

  /** Milliseconds since 1970, by a clock that can jump. Nothing that must be right may depend on it. */
  now(): number;

  /** Milliseconds since some moment, by a clock that never goes back. */
  monotonic(): number;

  /**
   * Waits. Never rejects: resolves to true when the time has passed, to false as soon as the signal aborts.
   *
   * @param ms at least 0
   */
  sleep(ms: number, options: SleepOptions): Promise<boolean>;

  /**
   * Lets other processes go on. Ends even where the clock stands still.
   *
   * @param ms about how long
   */
  pause(ms: number): Promise<void>;

  /** Bytes that cannot be guessed. */
  random(byteLength: number): Uint8Array;

  /** SHA-256 in lower-case hexadecimal. */
  hash(bytes: Uint8Array): string;

  /** A variable of the environment; undefined too where the runtime does not permit the look. */
  variable(name: string): string | undefined;

  /** The names of the variables of the environment; undefined where the runtime does not permit the look. */
  variableNames(): readonly string[] | undefined;

  /** The user this process acts as; undefined where there is none or the runtime does not permit the look. */
  userId(): number | undefined;
}

/** What a platform can do. */
export interface Capabilities {
  /** The operating system. */
  readonly platform: "linux" | "darwin" | "windows" | "other";
  /** Directory entries can be made durable (false on Windows). */
  readonly directorySync: boolean;
  /** Permission bits and owners mean something (false on Windows). */
  readonly modes: boolean;
  /** A file that another program has open can be replaced (false on Windows: tried again with back-off). */
  readonly renameOverOpen: boolean;
}

/** A file being written. */
export interface HostFile {
  /**
   * Writes at the end.
   *
   * @returns how many bytes were taken, which may be fewer than were given
   */
  write(bytes: Uint8Array): Promise<number>;
  /** Makes the content durable. */
  sync(): Promise<void>;
  /** Lets go of the handle. */
  close(): Promise<void>;
}

/** What is at a path. */
export interface HostStat {
  /** FIFOs, sockets and devices are `other`. */
  readonly kind: "file" | "directory" | "other";
  /** Equal for two looks exactly when both saw the same file or directory: its device, inode and birth. */
  readonly identity: string;
  /** The size; 0 for some files that hold more, such as those of /proc. */
  readonly byteLength: number;
  /** Permission bits with set-id and sticky bits, such as 0o600 or 0o1777. */
  readonly mode: number;
  /** The owner's number. */
  readonly userId: number;
  /** Milliseconds since 1970. A hint only: whether something changed is told by its bytes. */
  readonly modifiedMs: number;
}

/** The bytes of a file and what the file was when they were read. */
export interface FileRead {
  /** The whole content. */
  readonly bytes: Uint8Array;
  /** What the file was. */
  readonly stat: HostStat;
}

/** How a directory is watched. */
export interface WatchOptions {
  /** Something may have changed. Called from the runtime's event loop; must not throw. */
  readonly hint: () => void;
  /** The watch has ended by itself and will report nothing more. */
  readonly failed: (error: unknown) => void;
  /** Whether the watch alone keeps the process running. */
  readonly keepAlive: boolean;
}

/** A running watch. */
export interface HostWatch {
  /** Ends it; `hint` and `failed` are not called again. May be called more than once. */
  close(): void;
}

/** How to wait. */
export interface SleepOptions {
  /** Ends the wait early. */
  readonly signal?: AbortSignal;
  /** Whether the wait alone keeps the process running. */
  readonly keepAlive: boolean;
}
