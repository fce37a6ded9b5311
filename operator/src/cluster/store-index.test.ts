import { expect, test } from 'vitest';
import { ObjectCache } from '../kubernetes/object-cache.ts';
import { CONFIG_MAPS } from '../kubernetes/resources.ts';
import { mapObject } from '../stores/mapping/object.ts';
import { StoreIndex } from './store-index.ts';

const configMap = (name: string, store: string | undefined, resourceVersion: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    ...{ name, namespace: 'shop', uid: name, resourceVersion },
    labels: store === undefined ? {} : { 'largepayload.dev/store': store },
  },
});

function bed() {
  const changed: string[] = [];
  const cache = new ObjectCache(
    (object) => mapObject(CONFIG_MAPS, object),
    (failure) => {
      throw failure;
    },
  );
  const index = new StoreIndex(cache, (store) => changed.push(store));
  const names = (store: string) => index.of(store).map(({ name }) => name);
  return { cache, changed, names };
}

test('an index has the objects of a store, and names the store that a change concerns', () => {
  const { cache, changed, names } = bed();
  cache.put(configMap('one', 'orders', '1'));
  cache.put(configMap('two', 'orders', '2'));
  cache.put(configMap('three', 'returns', '3'));
  expect(names('shop/orders')).toEqual(['one', 'two']);
  expect(names('shop/returns')).toEqual(['three']);
  expect(names('other/orders')).toEqual([]);
  cache.remove('shop/one');
  expect(names('shop/orders')).toEqual(['two']);
  expect(changed).toEqual(['shop/orders', 'shop/orders', 'shop/returns', 'shop/orders']);
});

test('both stores are named when an object comes to bear the label of another', () => {
  const { cache, changed, names } = bed();
  cache.put(configMap('one', 'orders', '1'));
  changed.length = 0;
  cache.put(configMap('one', 'returns', '2'));
  expect(changed).toEqual(['shop/orders', 'shop/returns']);
  expect(names('shop/orders')).toEqual([]);
  expect(names('shop/returns')).toEqual(['one']);
});

test('certificates that are published to another namespace belong to their store, beside an object of the same name', () => {
  const { cache, changed, names } = bed();
  const published = (namespace: string, resourceVersion: string) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      ...{ name: 'orders.shop-ca', namespace, uid: namespace, resourceVersion },
      labels: { 'largepayload.dev/store': 'orders', 'largepayload.dev/store-namespace': 'shop' },
    },
  });
  cache.put(published('starters', '1'));
  cache.put(published('workers', '2'));
  expect(changed).toEqual(['shop/orders', 'shop/orders']);
  expect(names('shop/orders')).toHaveLength(2);
  expect(names('starters/orders')).toEqual([]);
  cache.remove('starters/orders.shop-ca');
  expect(names('shop/orders')).toHaveLength(1);
});

test('an object that belongs to no store is left out', () => {
  const { cache, changed, names } = bed();
  cache.put(configMap('one', undefined, '1'));
  cache.remove('shop/one');
  expect(changed).toEqual([]);
  expect(names('shop/undefined')).toEqual([]);
});
