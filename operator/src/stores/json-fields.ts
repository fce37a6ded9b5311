export { at, countAt, listAt, textAt, timeAt } from '@largepayload/crds';
