// Package governance holds the checks that ask who said a transfer may be: exceptions and approvals, their owners and dates.
// One file is one check, named by its slug.
package governance
