import { writeFileSync } from 'node:fs';
import { CRD_FILE, crdText } from './crd.ts';

writeFileSync(CRD_FILE, crdText());
