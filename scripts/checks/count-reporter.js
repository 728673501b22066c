// A jest reporter: names each skipped test (the reason stands in its name) and, when COUNT_FILE is set, writes the
// counts there for scripts/test.ts. A suite that could not be loaded counts as one failed test.
const { writeFileSync } = require('node:fs');

class CountReporter {
  onRunComplete(_contexts, results) {
    const skipped = results.testResults.flatMap((suite) =>
      suite.testResults.filter(({ status }) => status === 'pending' || status === 'todo'),
    );
    for (const { fullName } of skipped) process.stderr.write(`skipped: ${fullName}\n`);
    const counts = {
      passed: results.numPassedTests,
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: skipped.length,
    };
    if (process.env.COUNT_FILE) writeFileSync(process.env.COUNT_FILE, JSON.stringify(counts));
  }
}

module.exports = CountReporter;
