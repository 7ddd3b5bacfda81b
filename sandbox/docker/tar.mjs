/** Writes a ustar archive; everything in it belongs to root and has no time, so that equal files give equal layers. */
import { BuilderError } from './error.mjs';

const BLOCK = 512;

/**
 * @param {Map<string, { content: Buffer, mode: number }>} files by path without a leading slash
 * @returns {Buffer}
 */
export function tar(files) {
  const parts = [];
  for (const folder of folders(files.keys()))
    parts.push(header(`${folder}/`, { type: '5', mode: 0o755, size: 0 }));
  for (const path of [...files.keys()].sort()) {
    const { content, mode } = files.get(path);
    parts.push(header(path, { type: '0', mode, size: content.length }), content);
    parts.push(Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK));
  }
  parts.push(Buffer.alloc(2 * BLOCK));
  return Buffer.concat(parts);
}

function folders(paths) {
  const found = new Set();
  for (const path of paths) {
    const parts = path.split('/').slice(0, -1);
    parts.forEach((_, index) => found.add(parts.slice(0, index + 1).join('/')));
  }
  return [...found].sort();
}

function header(path, { type, mode, size }) {
  const block = Buffer.alloc(BLOCK);
  const { name, prefix } = splitPath(path);
  block.write(name, 0);
  block.write(octal(mode, 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(size, 12), 124);
  block.write(octal(0, 12), 136);
  block.write('        ', 148);
  block.write(type, 156);
  block.write('ustar\u000000', 257);
  block.write('root', 265);
  block.write('root', 297);
  block.write(prefix, 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

const octal = (value, length) => `${value.toString(8).padStart(length - 1, '0')}\0`;

/** ustar has 100 bytes for the name and 155 for the folders before it. */
function splitPath(path) {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: '' };
  for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (name && Buffer.byteLength(name) <= 100 && Buffer.byteLength(prefix) <= 155) return { name, prefix };
  }
  throw new BuilderError(`path too long for an image of this builder: ${path}`);
}
