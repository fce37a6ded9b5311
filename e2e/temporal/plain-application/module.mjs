import { LargePayloadCodec } from '@largepayload/codec';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { roundTrip } from './round-trip.cjs';

await roundTrip({ LargePayloadCodec, Client, Connection, NativeConnection, Worker });
