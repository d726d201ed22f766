// Package coverage holds the checks that ask whether we would know: telemetry that is missing, and evidence that was not
// understood. One file is one check, named by its slug.
package coverage
