// node docs/adr/measurements/client-node.mjs: what @kubernetes/client-node costs, and what its informer does at failures.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const PODS = 5_000;
const [mode, url] = process.argv.slice(2);
if (mode === undefined) await all();
else await measure();

async function all() {
  const list = JSON.stringify({
    ...{ kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion: '1' } },
    items: Array.from({ length: PODS }, (_, index) => pod(index)),
  });
  await withServer(
    (_request, response) => response.end(list),
    async (address) => {
      for (const each of ['nothing', 'import', 'json', 'typed', 'json', 'typed']) {
        const child = spawn(process.execPath, ['--expose-gc', import.meta.filename, each, address], {
          stdio: 'inherit',
        });
        await once(child, 'exit');
      }
    },
  );
  await informerAfterFailedWatch();
}

/** CPU and memory of one list. */
async function measure() {
  const begun = performance.now();
  const library = mode === 'typed' || mode === 'import' ? await import('@kubernetes/client-node') : undefined;
  const importMs = performance.now() - begun;
  const cpu = process.cpuUsage();
  let kept;
  if (mode === 'json') kept = await (await fetch(`${url}/api/v1/pods`)).json();
  if (library !== undefined && mode === 'typed') {
    kept = await configOf(library, url).makeApiClient(library.CoreV1Api).listPodForAllNamespaces();
  }
  const { user, system } = process.cpuUsage(cpu);
  global.gc();
  const { heapUsed, rss } = process.memoryUsage();
  const mebibytes = (bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  console.log(
    `${mode.padEnd(8)} import ${importMs.toFixed(0)} ms, list ${((user + system) / 1_000).toFixed(0)} ms of CPU,`,
    `heap ${mebibytes(heapUsed)}, RSS ${mebibytes(rss)}, ${kept?.items.length ?? 0} pods`,
  );
}

async function informerAfterFailedWatch() {
  const library = await import('@kubernetes/client-node');
  const calls = [];
  await withServer(
    (request, response) => {
      const isWatch = new URL(request.url, 'http://api').searchParams.get('watch') === 'true';
      calls.push(isWatch ? 'watch' : 'list');
      if (isWatch) response.writeHead(500).end('{"kind":"Status","apiVersion":"v1","code":500}');
      else response.end('{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}');
    },
    async (address) => {
      const config = configOf(library, address);
      const api = config.makeApiClient(library.CoreV1Api);
      const informer = library.makeInformer(config, '/api/v1/pods', () => api.listPodForAllNamespaces());
      informer.on('error', (error) => console.log(`  error event: ${String(error).slice(0, 60)}`));
      await informer.start();
      await sleep(10_000);
      console.log(`informer, a watch answered 500: ${calls.length} calls in 10 s: ${calls.join(', ')}`);
      await informer.stop();
    },
  );
}

function configOf({ KubeConfig }, server) {
  const config = new KubeConfig();
  config.loadFromClusterAndUser({ name: 'cluster', server, skipTLSVerify: true }, { name: 'user' });
  return config;
}

async function withServer(answer, work) {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  await work(`http://127.0.0.1:${server.address().port}`);
  server.closeAllConnections();
  server.close();
}

function pod(index) {
  return {
    metadata: { name: `gateway-${index}`, namespace: 'shop', uid: `${index}`, labels: { app: 'gateway' } },
    spec: {
      nodeName: 'node',
      containers: [{ name: 'gateway', image: 'i', args: ['serve', '--config', 'c'] }],
    },
    status: {
      phase: 'Running',
      conditions: ['Ready', 'ContainersReady', 'Initialized'].map((type) => ({ type, status: 'True' })),
      containerStatuses: [{ name: 'gateway', ready: true, restartCount: 0, image: 'i', imageID: 'i' }],
    },
  };
}
