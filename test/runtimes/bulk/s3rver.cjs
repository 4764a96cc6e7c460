const S3rver = require('s3rver');

const options = {
  port: 0,
  address: '127.0.0.1',
  silent: true,
  directory: 's3rver',
  configureBuckets: [{ name: 'hub' }],
};
new S3rver(options).run((error, address) => {
  if (error) throw error;
  console.log(`http://127.0.0.1:${address.port}`);
});
