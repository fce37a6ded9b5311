import { writeFileSync } from 'node:fs';
import { CRD_FILES, crdText } from './crd.ts';

for (const file of CRD_FILES) writeFileSync(file, crdText());
