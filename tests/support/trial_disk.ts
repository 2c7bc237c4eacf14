/**
 * A disk that remembers: `trial_disk.ts <mount point> <image> <log>` serves the image as the file `disk` below the mount
 * point, over the protocol of FUSE, and logs every write and every flush in the order in which they came.
 *
 * A loop device over that file takes a filesystem whose power can then be cut anywhere in the log.
 */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import process from "node:process";
import { encodeEntry } from "./block_log.ts";

const [mountPoint = "", imagePath = "", logPath = ""] = process.argv.slice(2);

const calls = {
  lookup: 1,
  forget: 2,
  getattr: 3,
  setattr: 4,
  open: 14,
  read: 15,
  write: 16,
  statfs: 17,
  release: 18,
  fsync: 20,
  flush: 25,
  init: 26,
  opendir: 27,
  readdir: 28,
  releasedir: 29,
  interrupt: 36,
  forgetMany: 42,
};
const noEntry = -2;
const notSupported = -38;
const notPossible = -95;
const writeBytesMax = 1024 * 1024;
const headerLength = 40;

const image = fs.openSync(imagePath, "r+");
const log = fs.openSync(logPath, "a");
const device = fs.openSync("/dev/fuse", "r+");
const byteLength = fs.fstatSync(image).size;

spawn("mount", [
  ...["-i", "-t", "fuse", "-o", "fd=3,rootmode=40000,user_id=0,group_id=0"],
  ...["holdfast", mountPoint],
], { stdio: ["ignore", "inherit", "inherit", device] });
serve();

/** One request after the other, so that the log is in the order of the answers. */
function serve(): void {
  const request = Buffer.alloc(writeBytesMax + 8192);
  for (;;) {
    let length: number;
    try {
      length = fs.readSync(device, request);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENODEV") return; // It was unmounted.
      if (code !== "EPERM" && code !== "EINTR" && code !== "ENOENT") throw error;
      // Not mounted yet.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
      continue;
    }
    const answer = answerTo(request.subarray(0, length));
    if (answer === undefined) continue;
    const [error, body] = typeof answer === "number" ? [answer, Buffer.alloc(0)] : [0, answer];
    const header = Buffer.alloc(16);
    header.writeUInt32LE(16 + body.length, 0);
    header.writeInt32LE(error, 4);
    request.copy(header, 8, 8, 16);
    fs.writeSync(device, Buffer.concat([header, body]));
  }
}

/** The body of the answer, an error, or nothing where no answer is due. */
function answerTo(request: Buffer): Buffer | number | undefined {
  const node = Number(request.readBigUInt64LE(16));
  const body = request.subarray(headerLength);
  switch (request.readUInt32LE(4)) {
    case calls.init:
      return greeting();
    case calls.lookup:
      return body.toString("utf8", 0, body.length - 1) === "disk" ? entry() : noEntry;
    case calls.getattr:
    case calls.setattr:
      return Buffer.concat([validity(), attributes(node)]);
    case calls.open:
    case calls.opendir:
      return opened();
    case calls.read:
      return read(Number(body.readBigUInt64LE(8)), body.readUInt32LE(16));
    case calls.write:
      return write(Number(body.readBigUInt64LE(8)), body.subarray(40, 40 + body.readUInt32LE(16)));
    case calls.fsync:
      fs.writeSync(log, encodeEntry({ kind: "flush" }));
      return Buffer.alloc(0);
    case calls.statfs:
      return Buffer.alloc(80);
    case calls.readdir:
    case calls.release:
    case calls.releasedir:
    case calls.flush:
      return Buffer.alloc(0);
    case calls.forget:
    case calls.forgetMany:
    case calls.interrupt:
      return undefined;
    case 43: // Punching holes: the loop device does without.
      return notPossible;
    default:
      return notSupported;
  }
}

function read(offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(Math.max(0, Math.min(length, byteLength - offset)));
  fs.readSync(image, bytes, 0, bytes.length, offset);
  return bytes;
}

function write(offset: number, bytes: Buffer): Buffer {
  fs.writeSync(image, bytes, 0, bytes.length, offset);
  fs.writeSync(log, encodeEntry({ kind: "write", offset, bytes }));
  const answer = Buffer.alloc(8);
  answer.writeUInt32LE(bytes.length, 0);
  return answer;
}

function greeting(): Buffer {
  const answer = Buffer.alloc(64);
  answer.writeUInt32LE(7, 0);
  answer.writeUInt32LE(31, 4);
  // Big writes, and the greatest number of pages in one is told.
  answer.writeUInt32LE((1 << 5) | (1 << 22), 12);
  answer.writeUInt16LE(16, 16);
  answer.writeUInt16LE(12, 18);
  answer.writeUInt32LE(writeBytesMax, 20);
  answer.writeUInt32LE(1, 24);
  answer.writeUInt16LE(writeBytesMax / 4096, 28);
  return answer;
}

function opened(): Buffer {
  const answer = Buffer.alloc(16);
  // Past the page cache, so that every write of the loop device comes here at once.
  answer.writeUInt32LE(1, 8);
  return answer;
}

function validity(): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64LE(3600n, 0);
  return bytes;
}

function entry(): Buffer {
  const head = Buffer.alloc(40);
  head.writeBigUInt64LE(2n, 0);
  head.writeBigUInt64LE(3600n, 16);
  head.writeBigUInt64LE(3600n, 24);
  return Buffer.concat([head, attributes(2)]);
}

function attributes(node: number): Buffer {
  const isDisk = node === 2;
  const bytes = Buffer.alloc(88);
  bytes.writeBigUInt64LE(BigInt(node), 0);
  bytes.writeBigUInt64LE(BigInt(isDisk ? byteLength : 0), 8);
  bytes.writeBigUInt64LE(BigInt(isDisk ? byteLength / 512 : 0), 16);
  bytes.writeUInt32LE(isDisk ? 0o100600 : 0o40700, 60);
  bytes.writeUInt32LE(isDisk ? 1 : 2, 64);
  bytes.writeUInt32LE(4096, 80);
  return bytes;
}
