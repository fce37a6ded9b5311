export * from './carry.ts';
export * from './long-running.ts';
