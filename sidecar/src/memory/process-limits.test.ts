import { describe, expect, test } from 'vitest';
import {
  COSTS,
  type CodecServerLimits,
  codecServerLimits,
  memoryOfPort,
  OPERATIONS_PORT,
  type ProcessLimits,
  processLimits,
  sidecarLimits,
} from './process-limits.ts';

const MIB = 2 ** 20;

describe('the limits of a process', () => {
  test.each([
    ['256Mi, the smallest sensible', 256 * MIB, { inFlight: 20, connections: 300, largeHeads: 20 }],
    ['384Mi', 384 * MIB, { inFlight: 24, connections: 800, largeHeads: 60 }],
    ['512Mi, of a gateway', 512 * MIB, { inFlight: 24, connections: 1_400, largeHeads: 120 }],
    ['1Gi', 1024 * MIB, { inFlight: 24, connections: 2_048, largeHeads: 600 }],
    ['8Gi', 8192 * MIB, { inFlight: 24, connections: 2_048, largeHeads: 2_048 }],
    ['none', undefined, { inFlight: 24, connections: 2_048, largeHeads: 600 }],
  ])('of %s fit into it, all reached together', (_name, memory, least) => {
    const limits = processLimits(memory);
    expect(memoryOf(limits)).toBeLessThanOrEqual(memory ?? 1024 * MIB);
    const { connections, largeHeads, largestHead } = limits.dataPort;
    expect(largestHead).toBe(256 * 1024);
    // A body that is collected whole may be larger than what its transfer holds.
    expect(limits.collectedBodies).toBeGreaterThanOrEqual(limits.inFlightBytes);
    expect(limits.collectedBodies).toBeLessThanOrEqual(64 * MIB);
    expect(limits.inFlightBytes / MIB).toBeGreaterThanOrEqual(least.inFlight);
    expect(limits.inFlightBytes).toBeLessThanOrEqual(24 * MIB);
    expect(connections).toBeGreaterThanOrEqual(least.connections);
    expect(connections).toBeLessThanOrEqual(2_048);
    expect(largeHeads).toBeGreaterThanOrEqual(least.largeHeads);
    expect(largeHeads).toBeLessThanOrEqual(connections);
  });

  test('are those of a small process where the memory suffices for none', () => {
    const limits = processLimits(64 * MIB);
    expect(limits).toMatchObject({ ...processLimits(1), memory: 64 * MIB });
    expect(limits.dataPort.largeHeads).toBeGreaterThan(0);
  });
});

describe('the limits of a process with a cache', () => {
  test.each([
    ['512Mi, of a gateway', 512 * MIB, 64, 64],
    ['576Mi, which the operator makes of that', 576 * MIB, 64, 64],
    ['256Mi', 256 * MIB, 64, 44],
    ['384Mi', 384 * MIB, 1_024, 140],
    ['192Mi', 192 * MIB, 64, 0],
    ['64Mi', 64 * MIB, 64, 0],
    ['none', undefined, 64, 64],
    ['none, on a machine with 64 GiB', undefined, 8_192, 8_192, 65_536],
    ['none, on a machine with 8 GiB', undefined, 8_192, 3_845, 8_192],
  ])(
    'in %s fit into it, and the cache is as large as that allows',
    (_name, memory, wanted, cached, machine = 24_576) => {
      const limits = processLimits(memory, { cacheSize: wanted * MIB, machine: machine * MIB });
      expect(Math.floor(limits.cacheBytes / MIB)).toBe(cached);
      if (memory === undefined || memory >= 192 * MIB)
        expect(memoryOf(limits)).toBeLessThanOrEqual(limits.memory);
      expect(limits.inFlightBytes / MIB).toBeGreaterThanOrEqual(8);
      expect(limits.collectedBodies).toBe(processLimits(memory).collectedBodies);
      expect(limits.dataPort.connections).toBeGreaterThanOrEqual(100);
      expect(limits.dataPort.largeHeads).toBeGreaterThan(0);
    },
  );

  test('are those without a cache where nothing limits the process, as the machine has memory for both', () => {
    const { inFlightBytes, dataPort } = processLimits(undefined);
    expect(processLimits(undefined, { cacheSize: 64 * MIB })).toMatchObject({ inFlightBytes, dataPort });
  });
});

describe('the limits of a process that takes TLS', () => {
  test.each([
    ['256Mi', 256 * MIB, { inFlight: 18, connections: 140, largeHeads: 20, handshakes: 17 }],
    ['512Mi, of a gateway', 512 * MIB, { inFlight: 24, connections: 540, largeHeads: 200, handshakes: 65 }],
    ['1Gi', 1024 * MIB, { inFlight: 24, connections: 1_500, largeHeads: 700, handshakes: 180 }],
    ['8Gi', 8192 * MIB, { inFlight: 24, connections: 2_048, largeHeads: 2_048, handshakes: 256 }],
  ])('of %s fit into it, all reached together', (_name, memory, least) => {
    const limits = processLimits(memory, { takesTls: true });
    // What is being sent is there twice: as it is and encrypted.
    expect(memoryOf(limits) + limits.inFlightBytes).toBeLessThanOrEqual(memory);
    expect(limits.collectedBodies).toBe(processLimits(memory).collectedBodies);
    expect(limits.inFlightBytes / MIB).toBeGreaterThanOrEqual(least.inFlight);
    const { connections, largeHeads, handshakes } = limits.dataPort;
    expect(connections).toBeGreaterThanOrEqual(least.connections);
    expect(largeHeads).toBeGreaterThanOrEqual(least.largeHeads);
    expect(handshakes).toBeGreaterThanOrEqual(least.handshakes);
  });
});

describe('the limits of a sidecar', () => {
  test.each([
    ['192Mi, with the cache of 64 MiB that it has by default', 192, 64, 64],
    ['256Mi, with the same', 256, 64, 64],
    ['256Mi', 256, 128, 128],
    ['128Mi, without a cache', 128, 0, 0],
    ['160Mi', 160, 64, 34],
    ['128Mi', 128, 64, 2],
    ['none', undefined, 64, 64],
  ])('in %s fit into it, and the cache is as large as that allows', (_name, memory, wanted, cached) => {
    const limit = memory === undefined ? undefined : memory * MIB;
    const limits = sidecarLimits(limit, { cacheSize: wanted * MIB, machine: 24_576 * MIB });
    expect(Math.floor(limits.cacheBytes / MIB)).toBe(cached);
    expect(memoryOfSidecar(limits)).toBeLessThanOrEqual(limits.memory);
    // The largest body that is kept.
    expect(limits.collectedBodies).toBeGreaterThanOrEqual(8 * MIB);
    expect(limits.inFlightBytes).toBeGreaterThanOrEqual(8 * MIB);
    expect(limits.dataPort.connections).toBeGreaterThanOrEqual(100);
    expect(limits.dataPort.largeHeads).toBeGreaterThanOrEqual(10);
  });

  test('are those of a small process, without a cache, where the memory suffices for none', () => {
    expect(sidecarLimits(64 * MIB, { cacheSize: 64 * MIB })).toMatchObject({
      ...sidecarLimits(1),
      memory: 64 * MIB,
    });
  });
});

describe('the limits of a codec server', () => {
  test.each([
    ['256Mi', 256 * MIB, 1, 16],
    ['512Mi', 512 * MIB, 1, 64],
    ['1Gi', 1024 * MIB, 2, 64],
    ['8Gi', 8192 * MIB, 2, 64],
    ['none', undefined, 2, 64],
  ])('of %s fit into it, all reached together', (_name, memory, calls, bodyMebibytes) => {
    const limits = codecServerLimits(memory);
    expect(memoryOfCodecServer(limits)).toBeLessThanOrEqual(memory ?? 1024 * MIB);
    expect(limits.concurrentCalls).toBe(calls);
    expect(limits.bodyBytes / MIB).toBeGreaterThanOrEqual(bodyMebibytes);
    expect(limits.bodyBytes).toBeLessThanOrEqual(64 * MIB);
    expect(limits.decodedBytes).toBe(limits.bodyBytes / 2);
  });
});

/** The most memory that a process with these limits uses. */
function memoryOf({ inFlightBytes, collectedBodies, cacheBytes, dataPort }: ProcessLimits): number {
  const ports = memoryOfPort(dataPort) + 2 * memoryOfPort(OPERATIONS_PORT);
  return COSTS.idleProcess + COSTS.garbage + inFlightBytes + collectedBodies + cacheBytes + ports;
}

/** The most memory that a sidecar with these limits uses. */
function memoryOfSidecar({ inFlightBytes, collectedBodies, cacheBytes, dataPort }: ProcessLimits): number {
  const ports = memoryOfPort(dataPort) + memoryOfPort(OPERATIONS_PORT);
  return COSTS.idleSidecar + COSTS.sidecarGarbage + inFlightBytes + collectedBodies + cacheBytes + ports;
}

/** The most memory that a codec server with these limits uses. */
function memoryOfCodecServer({ concurrentCalls, bodyBytes, connections }: CodecServerLimits): number {
  return COSTS.idleCodecServer + memoryOfPort(connections) + concurrentCalls * bodyBytes * COSTS.bodyByte;
}
