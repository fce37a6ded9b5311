import { createHash } from 'node:crypto';
import { memoryCgroup } from '@largepayload/testing/processes/memory-cgroup';
import { whyNoMemoryCgroup } from '@largepayload/testing/processes/memory-cgroup';
