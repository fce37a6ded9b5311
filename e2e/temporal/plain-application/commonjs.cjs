const { LargePayloadCodec } = require('@largepayload/codec');
const { Client, Connection } = require('@temporalio/client');
const { NativeConnection, Worker } = require('@temporalio/worker');
const { roundTrip } = require('./round-trip.cjs');

roundTrip({ LargePayloadCodec, Client, Connection, NativeConnection, Worker });
