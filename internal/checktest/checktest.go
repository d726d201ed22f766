// Package checktest holds the tests of the checks over whole examples: evidence in, findings out. It has no code of its own.
package checktest
