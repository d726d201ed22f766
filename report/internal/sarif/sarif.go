// Package sarif holds the parts of SARIF 2.1.0 (OASIS, 27 March 2020) that reports use, in the order they are written.
package sarif

// A Log is a whole file.
type Log struct {
	Schema  string `json:"$schema"`
	Version string `json:"version"`
	Runs    []*Run `json:"runs"`
}

// A Run is one run of one tool (3.14).
type Run struct {
	Tool               Tool                        `json:"tool"`
	Taxonomies         []ToolComponent             `json:"taxonomies,omitempty"`
	AutomationDetails  *AutomationDetails          `json:"automationDetails,omitempty"`
	Invocations        []Invocation                `json:"invocations,omitempty"`
	OriginalURIBaseIDs map[string]ArtifactLocation `json:"originalUriBaseIds,omitempty"`
	Artifacts          []Artifact                  `json:"artifacts,omitempty"`
	LogicalLocations   []LogicalLocation           `json:"logicalLocations,omitempty"`
	ColumnKind         string                      `json:"columnKind"`
	RedactionTokens    []string                    `json:"redactionTokens,omitempty"`
	Results            Results                     `json:"results"`
}

// A Tool is its driver.
type Tool struct {
	Driver ToolComponent `json:"driver"`
}

// A ToolComponent is a driver or a taxonomy (3.19).
type ToolComponent struct {
	Name             string   `json:"name"`
	FullName         string   `json:"fullName,omitempty"`
	Version          string   `json:"version,omitempty"`
	Organization     string   `json:"organization,omitempty"`
	InformationURI   string   `json:"informationUri,omitempty"`
	ShortDescription *Message `json:"shortDescription,omitempty"`
	Rules            []Rule   `json:"rules,omitempty"`
	Taxa             []Taxon  `json:"taxa,omitempty"`
}

// A Rule is a reportingDescriptor of the driver (3.49).
type Rule struct {
	ID                   string             `json:"id"`
	Name                 string             `json:"name,omitempty"`
	ShortDescription     *Message           `json:"shortDescription,omitempty"`
	FullDescription      *Message           `json:"fullDescription,omitempty"`
	MessageStrings       map[string]Message `json:"messageStrings,omitempty"`
	DefaultConfiguration *Configuration     `json:"defaultConfiguration,omitempty"`
	HelpURI              string             `json:"helpUri,omitempty"`
	Help                 *Message           `json:"help,omitempty"`
	Relationships        []Relationship     `json:"relationships,omitempty"`
	Properties           map[string]any     `json:"properties,omitempty"`
}

// A Taxon is a technique of the taxonomy.
type Taxon struct {
	ID      string `json:"id"`
	HelpURI string `json:"helpUri,omitempty"`
}

// A Configuration is a rule's default level.
type Configuration struct {
	Level string `json:"level"`
}

// A Relationship ties a rule to a taxon (3.53).
type Relationship struct {
	Target Reference `json:"target"`
	Kinds  []string  `json:"kinds"`
}

// A Reference names a taxon.
type Reference struct {
	ID            string              `json:"id"`
	ToolComponent *ComponentReference `json:"toolComponent,omitempty"`
}

// A ComponentReference names a taxonomy.
type ComponentReference struct {
	Name  string `json:"name"`
	Index int    `json:"index"`
}

// A Message is a text, or one of a rule's with arguments (3.11).
type Message struct {
	ID        string   `json:"id,omitempty"`
	Arguments []string `json:"arguments,omitempty"`
	Text      string   `json:"text"`
	Markdown  string   `json:"markdown,omitempty"`
}

// AutomationDetails name the run's category and instance (3.17).
type AutomationDetails struct {
	ID string `json:"id"`
}

// An Invocation says how the run went (3.20).
type Invocation struct {
	ExecutionSuccessful bool           `json:"executionSuccessful"`
	ExitCode            int            `json:"exitCode"`
	EndTimeUTC          string         `json:"endTimeUtc,omitempty"`
	Notifications       []Notification `json:"toolExecutionNotifications,omitempty"`
}

// A Notification is something about the run, not a result (3.58).
type Notification struct {
	Level   string  `json:"level"`
	Message Message `json:"message"`
}

// An ArtifactLocation names a file (3.4).
type ArtifactLocation struct {
	URI         string   `json:"uri,omitempty"`
	URIBaseID   string   `json:"uriBaseId,omitempty"`
	Index       *int     `json:"index,omitempty"`
	Description *Message `json:"description,omitempty"`
}

// An Artifact is a file of evidence (3.24).
type Artifact struct {
	Location ArtifactLocation  `json:"location"`
	Roles    []string          `json:"roles,omitempty"`
	Hashes   map[string]string `json:"hashes,omitempty"`
}

// A LogicalLocation is a device or a part of it (3.33).
type LogicalLocation struct {
	Name               string `json:"name"`
	FullyQualifiedName string `json:"fullyQualifiedName"`
	Kind               string `json:"kind,omitempty"`
	ParentIndex        *int   `json:"parentIndex,omitempty"`
	Index              int    `json:"index"`
}

// A LogicalRef points at a LogicalLocation.
type LogicalRef struct {
	Index              int    `json:"index"`
	FullyQualifiedName string `json:"fullyQualifiedName"`
}

// A Result is one finding (3.27).
type Result struct {
	RuleID              string            `json:"ruleId"`
	RuleIndex           int               `json:"ruleIndex"`
	Level               string            `json:"level"`
	Kind                string            `json:"kind"`
	BaselineState       string            `json:"baselineState,omitempty"`
	Message             Message           `json:"message"`
	Locations           []Location        `json:"locations"`
	RelatedLocations    []Location        `json:"relatedLocations,omitempty"`
	PartialFingerprints map[string]string `json:"partialFingerprints"`
	Suppressions        []Suppression     `json:"suppressions,omitempty"`
	Properties          map[string]any    `json:"properties,omitempty"`
}

// A Location is a place in a file and in a device (3.28).
type Location struct {
	ID               int               `json:"id,omitempty"`
	PhysicalLocation *PhysicalLocation `json:"physicalLocation,omitempty"`
	LogicalLocations []LogicalRef      `json:"logicalLocations,omitempty"`
	Message          *Message          `json:"message,omitempty"`
}

// A PhysicalLocation is a region of a file (3.29).
type PhysicalLocation struct {
	ArtifactLocation ArtifactLocation `json:"artifactLocation"`
	Region           *Region          `json:"region,omitempty"`
	ContextRegion    *Region          `json:"contextRegion,omitempty"`
}

// A Region counts lines and columns from 1; the end column is one past the last (3.30).
type Region struct {
	StartLine   int      `json:"startLine"`
	StartColumn int      `json:"startColumn,omitempty"`
	EndLine     int      `json:"endLine,omitempty"`
	EndColumn   int      `json:"endColumn,omitempty"`
	Snippet     *Message `json:"snippet,omitempty"`
}

// A Suppression is an exception (3.35).
type Suppression struct {
	Kind          string         `json:"kind"`
	Status        string         `json:"status,omitempty"`
	Justification string         `json:"justification,omitempty"`
	Location      *Location      `json:"location,omitempty"`
	Properties    map[string]any `json:"properties,omitempty"`
}

// Results are the results of a run, made while they are written when they are many.
type Results interface {
	Each(yield func(result any) error) error
}

// Some are results that are in memory.
type Some []Result

// Each hands over every result.
func (s Some) Each(yield func(any) error) error {
	for i := range s {
		if err := yield(&s[i]); err != nil {
			return err
		}
	}
	return nil
}
