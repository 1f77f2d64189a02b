package studytest

// ChildEnv makes the test binary a process that trains a tiny study; see TestKilledRunsEndAlike.
const ChildEnv = "BWLM_BRAIN_TEST_CHILD"
