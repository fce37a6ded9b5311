const { proxyActivities } = require('@temporalio/workflow');

const { giveBack } = proxyActivities({ startToCloseTimeout: '1 minute' });

exports.echo = async (document) => await giveBack(document);
