// To be imported before a program: says at its end how many bytes of memory the process took at most.
process.on('exit', () => process.stderr.write(`peak ${1024 * process.resourceUsage().maxRSS}\n`));
