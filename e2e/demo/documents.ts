import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';

/** A document that a workflow might carry, as the payload that Temporal's converter makes of it. */
export interface DemoDocument {
  readonly name: string;
  readonly payload: Payload;
}

/** A JSON of several megabytes, an image and a text, each larger than Temporal takes without a warning. */
export function demoDocuments(repository: string): DemoDocument[] {
  const convert = (value: unknown): Payload => defaultPayloadConverter.toPayload(value) as Payload;
  return [
    { name: 'invoices.json', payload: convert(invoices(20_000)) },
    { name: 'mandelbrot.png', payload: convert(mandelbrotImage(1_600, 1_200)) },
    { name: 'sources.txt', payload: convert(sourcesAsText(repository)) },
  ];
}

function invoices(count: number): object {
  return {
    exportedBy: 'billing',
    invoices: Array.from({ length: count }, (_, index) => ({
      number: `2026-${String(index + 1).padStart(6, '0')}`,
      customer: { id: (index * 7_919) % 100_003, country: ['DE', 'FR', 'IT', 'JP', 'US'][index % 5] },
      lines: Array.from({ length: 1 + (index % 3) }, (_line, position) => ({
        article: `A-${(index * 31 + position * 17) % 9_973}`,
        quantity: 1 + ((index + position) % 12),
        unitPriceCents: 199 + ((index * 97 + position * 13) % 50_000),
      })),
    })),
  };
}

/** A PNG (RFC 2083) of 8-bit RGB. */
function mandelbrotImage(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const rows = Buffer.alloc(height * (1 + width * 3));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      rows.set(colourAt(x / width, y / height), y * (1 + width * 3) + 1 + x * 3);
    }
  }
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(rows, { level: 1 })),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

function pngChunk(type: string, data: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type), data]);
  const chunk = Buffer.alloc(8 + typed.length);
  chunk.writeUInt32BE(data.length, 0);
  chunk.set(typed, 4);
  chunk.writeUInt32BE(crc32(typed), 4 + typed.length);
  return chunk;
}

function colourAt(u: number, v: number): [number, number, number] {
  const [centreX, centreY, scale] = [-0.743643, 0.131825, 0.006];
  const a = centreX + (u - 0.5) * scale;
  const b = centreY + (v - 0.5) * scale * 0.75;
  let [x, y, steps] = [0, 0, 0];
  while (x * x + y * y < 16 && steps < 200) {
    [x, y] = [x * x - y * y + a, 2 * x * y + b];
    steps += 1;
  }
  const smooth = steps < 200 ? steps + 1 - Math.log2(Math.log2(x * x + y * y)) : 0;
  return [(smooth * 7) & 255, (smooth * 13) & 255, (smooth * 23) & 255];
}

/** This project's own sources and lock file, one after the other. */
function sourcesAsText(repository: string): string {
  const sources = readdirSync(repository, { recursive: true, encoding: 'utf8' })
    .filter((path) => /^(codec|crds|sidecar)\/src\/.*\.ts$/.test(path))
    .sort();
  return ['package-lock.json', 'LICENSE', ...sources]
    .map((path) => `==== ${path}\n${readFileSync(join(repository, path), 'utf8')}`)
    .join('\n');
}
