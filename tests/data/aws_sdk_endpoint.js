// Points version 2 of AWS's SDK, which knows no AWS_ENDPOINT_URL, at an emulator.
const Module = require("module");

const load = Module._load;
Module._load = function (request, ...rest) {
  const loaded = load.call(this, request, ...rest);
  if (request === "aws-sdk") {
    const endpoint = process.env.AWS_ENDPOINT_URL;
    loaded.config.update({ endpoint, s3ForcePathStyle: true });
  }
  return loaded;
};
