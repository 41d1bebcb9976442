// The peer of wsk lint: ajv checks each line of an NDJSON file against the schema of its event. The
// schemas are compiled before the clock starts; node's own start and their compilation do not count.
//
// usage: node ajv.js VARIANT SCHEMAS FILE
//
// SCHEMAS is a folder of FORM.EVENT.json. Prints: LINES INVALID SECONDS
//   readline  readline over a stream, its line event
//   await     readline over a stream, for await
//   blocks    blocks of the file, cut at line ends by hand
//   workers   blocks, the file shared out to two worker threads
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const { isMainThread, parentPort, Worker, workerData } = require('node:worker_threads');
const Ajv = require('ajv/dist/2020').default;
const addFormats = require('ajv-formats').default;

const THREADS = 2;
const BLOCK = 256 << 10;
const NEWLINE = 0x0a;

function compile(folder) {
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats(ajv);
  ajv.addFormat('time-of-day', /^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/);
  ajv.addFormat('worksome-time', /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d( .+)?$/);
  const checks = new Map();
  for (const file of fs.readdirSync(folder)) {
    checks.set(path.basename(file, '.json'), ajv.compile(JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8'))));
  }
  return checks;
}

function formOf(payload) {
  if (payload.event_type === undefined) return payload.event.includes('.') ? 'compact' : 'worksome';
  return payload.event_id !== undefined || payload.company_id !== undefined ? 'outbound' : 'inbound';
}

class Tally {
  lines = 0;
  invalid = 0;

  constructor(checks) {
    this.checks = checks;
  }

  check(line) {
    const payload = JSON.parse(line);
    const valid = this.checks.get(`${formOf(payload)}.${payload.event_type ?? payload.event}`);
    this.lines++;
    if (!valid(payload)) this.invalid++;
  }
}

function open(file) {
  return readline.createInterface({ input: fs.createReadStream(file, { highWaterMark: BLOCK }), crlfDelay: Infinity });
}

function byEvent(tally, file) {
  return new Promise((done) => open(file).on('line', (line) => tally.check(line)).on('close', done));
}

async function byAwait(tally, file) {
  for await (const line of open(file)) tally.check(line);
}

// byBlocks checks the lines that begin in [from, to).
function byBlocks(tally, file, from = 0, to = Infinity) {
  const fd = fs.openSync(file);
  const buffer = Buffer.allocUnsafe(4 * BLOCK); // a line fits in with room to spare
  let at = Math.max(from - 1, 0); // one byte early: a line may begin at from itself
  let held = 0;
  let skip = from > 0;
  for (;;) {
    const read = fs.readSync(fd, buffer, held, BLOCK, at + held);
    const end = held + read;
    let start = 0;
    if (skip) {
      start = buffer.indexOf(NEWLINE) + 1;
      skip = false;
    }
    const cut = read === 0 ? end : buffer.lastIndexOf(NEWLINE, end - 1) + 1;
    if (at + cut <= to) {
      for (const line of buffer.utf8Slice(start, cut).split('\n')) if (line !== '') tally.check(line);
    } else {
      while (start < cut && at + start < to) {
        const next = buffer.indexOf(NEWLINE, start);
        tally.check(buffer.utf8Slice(start, next));
        start = next + 1;
      }
    }
    if (read === 0 || at + cut >= to) break;
    buffer.copy(buffer, 0, cut, end);
    held = end - cut;
    at += cut;
  }
  fs.closeSync(fd);
}

// byWorkers gives each thread its share once all of them have compiled.
async function byWorkers(folder, file) {
  const size = fs.statSync(file).size;
  const threads = Array.from({ length: THREADS }, () => new Worker(__filename, { workerData: { folder, file } }));
  const said = (thread) => new Promise((done, fail) => thread.once('message', done).once('error', fail));
  await Promise.all(threads.map(said));
  const started = process.hrtime.bigint();
  const tallies = threads.map(said);
  threads.forEach((thread, i) => {
    thread.postMessage({ from: Math.floor((size * i) / THREADS), to: Math.floor((size * (i + 1)) / THREADS) });
  });
  const total = (await Promise.all(tallies)).reduce((a, b) => ({ lines: a.lines + b.lines, invalid: a.invalid + b.invalid }));
  return { ...total, started, ended: process.hrtime.bigint() };
}

async function byOne(variant, folder, file) {
  const tally = new Tally(compile(folder));
  const started = process.hrtime.bigint();
  await variant(tally, file);
  return { lines: tally.lines, invalid: tally.invalid, started, ended: process.hrtime.bigint() };
}

async function main([name, folder, file]) {
  const variants = { readline: byEvent, await: byAwait, blocks: (tally, name) => byBlocks(tally, name) };
  if (name !== 'workers' && !(name in variants)) throw new Error(`unknown variant ${name}`);
  const r = name === 'workers' ? await byWorkers(folder, file) : await byOne(variants[name], folder, file);
  console.log(r.lines, r.invalid, (Number(r.ended - r.started) / 1e9).toFixed(4));
}

if (isMainThread) {
  main(process.argv.slice(2));
} else {
  const tally = new Tally(compile(workerData.folder));
  parentPort.once('message', ({ from, to }) => {
    byBlocks(tally, workerData.file, from, to);
    parentPort.postMessage({ lines: tally.lines, invalid: tally.invalid });
  });
  parentPort.postMessage('ready');
}
