package sros

import (
	"os"
	"testing"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/parsetest"
)

// understoodShare is the share of lines that must be understood or irrelevant for a reason.
const understoodShare = 0.97

func formats() []facts.Format { return []facts.Format{Brace(), Flat(), Classic()} }

func TestCorpus(t *testing.T) {
	parsetest.Public(t, os.Getenv("QUAYMASTER_CORPUS"), facts.NokiaSROS, understoodShare, formats())
}
