package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// sbom is a document of SPDX 2.3 (https://spdx.github.io/spdx-spec/v2.3): the parts of a package, their licences and
// sources.
type sbom struct {
	Version       string         `json:"spdxVersion"`
	DataLicense   string         `json:"dataLicense"`
	ID            string         `json:"SPDXID"`
	Name          string         `json:"name"`
	Namespace     string         `json:"documentNamespace"`
	Creation      sbomCreation   `json:"creationInfo"`
	Packages      []sbomPackage  `json:"packages"`
	Extracted     []sbomLicence  `json:"hasExtractedLicensingInfos,omitempty"`
	Relationships []sbomRelation `json:"relationships"`
}

type sbomCreation struct {
	Created  string   `json:"created"`
	Creators []string `json:"creators"`
}

type sbomPackage struct {
	Name      string         `json:"name"`
	ID        string         `json:"SPDXID"`
	Version   string         `json:"versionInfo"`
	Download  string         `json:"downloadLocation"`
	Analyzed  bool           `json:"filesAnalyzed"`
	Concluded string         `json:"licenseConcluded"`
	Declared  string         `json:"licenseDeclared"`
	Copyright string         `json:"copyrightText"`
	Checksums []sbomChecksum `json:"checksums,omitempty"`
	Refs      []sbomRef      `json:"externalRefs,omitempty"`
}

type sbomChecksum struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"checksumValue"`
}

type sbomRef struct {
	Category string `json:"referenceCategory"`
	Type     string `json:"referenceType"`
	Locator  string `json:"referenceLocator"`
}

type sbomLicence struct {
	ID   string `json:"licenseId"`
	Text string `json:"extractedText"`
}

type sbomRelation struct {
	From string `json:"spdxElementId"`
	Type string `json:"relationshipType"`
	To   string `json:"relatedSpdxElement"`
}

const unsaid = "NOASSERTION"

// newSBOM returns the document of a package called name.
func newSBOM(name, version string, made time.Time, parts []component) ([]byte, error) {
	const own = "SPDXRef-Package-bwlm"
	d := sbom{
		Version: "SPDX-2.3", DataLicense: "CC0-1.0", ID: "SPDXRef-DOCUMENT", Name: name,
		Creation: sbomCreation{made.UTC().Format(time.RFC3339), []string{"Tool: bwlm tools/dist"}},
		Packages: []sbomPackage{{
			Name: "bwlm", ID: own, Version: version, Download: unsaid, Concluded: unsaid, Declared: "Apache-2.0",
			Copyright: unsaid, Refs: []sbomRef{purl("pkg:golang/github.com/brainwavlm/bwlm@" + version)},
		}},
		Relationships: []sbomRelation{{"SPDXRef-DOCUMENT", "DESCRIBES", own}},
	}
	for _, c := range parts {
		p := sbomPackage{Name: c.Name, ID: spdxID(c.Name), Version: c.Version, Download: unsaid, Concluded: unsaid,
			Declared: c.Licence, Copyright: unsaid, Refs: []sbomRef{purl(c.PURL)}}
		if c.SHA256 != "" {
			p.Checksums = []sbomChecksum{{"SHA256", c.SHA256}}
		}
		for _, id := range licenceRef.FindAllString(c.Licence, -1) {
			if known := slices.ContainsFunc(d.Extracted, func(l sbomLicence) bool { return l.ID == id }); !known {
				d.Extracted = append(d.Extracted, sbomLicence{id, joined(c.Texts)})
			}
		}
		d.Packages = append(d.Packages, p)
		d.Relationships = append(d.Relationships, sbomRelation{own, "CONTAINS", p.ID})
	}
	content, err := json.Marshal(d.Packages)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append([]byte(name), content...))
	d.Namespace = fmt.Sprintf("https://github.com/brainwavlm/bwlm/spdx/%s-%s", name, hex.EncodeToString(sum[:8]))
	out, err := json.MarshalIndent(d, "", "  ")
	return append(out, '\n'), err
}

// licenceRef matches a licence that SPDX's list does not have.
var licenceRef = regexp.MustCompile(`LicenseRef-[A-Za-z0-9.-]+`)

func joined(texts []text) string {
	var b strings.Builder
	for _, t := range texts {
		fmt.Fprintf(&b, "%s\n\n%s\n", t.Name, t.Text)
	}
	return b.String()
}

func purl(locator string) sbomRef { return sbomRef{"PACKAGE-MANAGER", "purl", locator} }

var notInID = regexp.MustCompile(`[^A-Za-z0-9.-]+`)

// spdxID returns the identifier of a package, in which SPDX allows letters, digits, dots and dashes.
func spdxID(name string) string { return "SPDXRef-Package-" + notInID.ReplaceAllString(name, "-") }
