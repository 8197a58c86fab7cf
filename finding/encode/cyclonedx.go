package encode

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"bartizan/finding"
)

// cycloneDXEncoder writes a CycloneDX 1.6 bill of materials (ECMA-424): each
// subject a component, what the scan says of it as properties in the bartizan
// namespace. It has no time stamp, and its serial number is made from its
// content, so that the same models give the same document.
type cycloneDXEncoder struct {
	w          io.Writer
	tool       finding.Tool
	components []cdx.Component
	refs       map[string]int
}

func newCycloneDX(w io.Writer, opt Options) *cycloneDXEncoder {
	return &cycloneDXEncoder{w: w, tool: opt.Tool, refs: map[string]int{}}
}

func (e *cycloneDXEncoder) Subject(r *finding.SubjectReport) error {
	name := validName(r.ID)
	ref := "subject:" + name
	if n := e.refs[ref]; n > 0 {
		ref += "#" + strconv.Itoa(n+1)
	}
	e.refs["subject:"+name]++
	c := cdx.Component{BOMRef: ref, Type: componentType(r.ID, r.Formats), Name: path.Base(name), Properties: properties(r)}
	if hex, ok := strings.CutPrefix(r.Digest, "sha256:"); ok {
		c.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex}}
	}
	if at := path.Dir(name); at != "." {
		c.Evidence = &cdx.Evidence{Occurrences: &[]cdx.EvidenceOccurrence{{Location: name}}}
	}
	e.components = append(e.components, c)
	return nil
}

// models are the formats that hold weights or graphs, by the first word of
// their name; data are those that hold tables and arrays. Both are read only.
var (
	models = words("safetensors gguf pickle hdf5 keras onnx ort tensorflow tflite executorch coreml tensorrt caffe paddle catboost xgboost lightgbm flax torchscript pytorch joblib skops openvino llamafile pmml")
	data   = words("npy parquet arrow orc avro tfrecord r matlab sqlite leveldb dicom csv")
	// packed are the names under which archives are models.
	packed = words(".pt .pth .pt2 .bin .ckpt .keras .joblib .pkl .skops .nemo .mar .mlmodel .mlpackage .tflite")
)

func words(list string) map[string]bool {
	out := map[string]bool{}
	for word := range strings.FieldsSeq(list) {
		out[word] = true
	}
	return out
}

// componentType says what a subject is by the formats that were recognised in
// it. What lies in an archive is not among them: there the name tells.
func componentType(name string, formats []string) cdx.ComponentType {
	t := cdx.ComponentTypeFile
	for _, f := range formats {
		first, _, _ := strings.Cut(f, "-")
		ext := strings.ToLower(path.Ext(name))
		switch {
		case models[first]:
			return cdx.ComponentTypeMachineLearningModel
		case isPacking(f) && packed[ext]:
			t = cdx.ComponentTypeMachineLearningModel
		case data[first], isPacking(f) && (ext == ".npz" || ext == ".rds" || ext == ".rda"):
			t = cdx.ComponentTypeData
		}
	}
	return t
}

func isPacking(format string) bool {
	switch format {
	case "zip", "tar", "gzip", "bzip2", "xz", "zstd", "lz4", "zlib", "lzma", "joblib-zfile":
		return true
	}
	return false
}

func properties(r *finding.SubjectReport) *[]cdx.Property {
	var out []cdx.Property
	add := func(name, value string) {
		out = append(out, cdx.Property{Name: "bartizan:" + name, Value: valid(value)})
	}
	add("kind", string(r.Kind))
	add("id", validName(r.ID))
	if r.Size >= 0 {
		add("size", strconv.FormatInt(r.Size, 10))
	}
	for _, f := range r.Formats {
		add("format", f)
	}
	add("verdict", r.Verdict.String())
	add("coverage", r.Coverage.String())
	for _, reason := range r.Reasons {
		add("reason", reason)
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		text := f.Severity.String() + " " + f.Rule + " " + f.Fingerprint
		if f.Waiver != nil {
			text += " waived"
		}
		add("finding", text)
	}
	return &out
}

func (e *cycloneDXEncoder) Close(end End) error {
	bom := cdx.NewBOM()
	bom.Components = &e.components
	if e.components == nil {
		bom.Components = &[]cdx.Component{}
	}
	bom.Metadata = &cdx.Metadata{Tools: &cdx.ToolsChoice{Components: &[]cdx.Component{{
		Type: cdx.ComponentTypeApplication, Name: e.tool.Name, Version: e.tool.Version,
	}}}}
	if len(end.Reasons) > 0 {
		var list []cdx.Property
		for _, reason := range end.Reasons {
			list = append(list, cdx.Property{Name: "bartizan:incomplete", Value: valid(reason)})
		}
		bom.Properties = &list
	}
	sum := sha256.New()
	if err := encodeBOM(sum, bom); err != nil {
		return err
	}
	id := sum.Sum(nil)
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80 // RFC 9562, version 8
	bom.SerialNumber = fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", id[0:4], id[4:6], id[6:8], id[8:10], id[10:16])
	var body bytes.Buffer
	if err := encodeBOM(&body, bom); err != nil {
		return err
	}
	_, err := e.w.Write(escapeJSON(body.Bytes()))
	return err
}

func encodeBOM(w io.Writer, bom *cdx.BOM) error {
	return cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_6)
}
