/** The package's modules one by one, as they are. */
export default { optimizeDeps: { exclude: ['holostream'] } };
