// Package conformance holds the tests over public input with known answers: filter questions, configurations, logs and
// captures. It has no code of its own.
package conformance
