// Encoding the embedded encoding; `../portable` does the same, and says why.
export { countPlanes } from './countPlanes';
export { encodePlanes } from './encodePlanes';
export { groupChanges } from './groupChanges';
export { measure } from './measure';
export { measureShort } from './measureShort';
export { countNonzero, encodeRemainder } from './remainder';
export { scatter } from './scatter';
export { scatterShort } from './scatterShort';
export { sortLong, sortShort } from './sort';
export { surveyShort } from './surveyShort';
export { surveyRows, widenShort } from './widen';
