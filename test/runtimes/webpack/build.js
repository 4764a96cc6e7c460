/** A page, without configuration beyond its entry; what webpack warns of is a failure. */

import webpack from 'webpack';

const compiler = webpack({
  mode: 'production',
  entry: './page.js',
  output: { path: `${import.meta.dirname}/site`, filename: 'page.js' },
});
compiler.run((error, stats) => {
  if (error) throw error;
  console.log(stats.toString({ preset: 'errors-warnings' }));
  process.exitCode = stats.hasErrors() || stats.hasWarnings() ? 1 : 0;
  compiler.close(() => {});
});
