import { embedded } from './src/encodings/embedded/embedded.ts';
import { portableKernels } from './src/kernels/portable/index.ts';
import { loadKernels } from './src/kernels/loadKernels.ts';
import { float32ToBfloat16 } from './src/float.ts';
const wasm = await loadKernels({implementation:'wasm'});
const S=Number(process.argv[2]??2048), n=S*S;
let sd=1; const rnd=()=>{sd=(Math.imul(sd,1664525)+1013904223)>>>0;return (sd+.5)/2**32};
const f=new Float32Array(n); for(let i=0;i<n;i++) f[i]=Math.sqrt(-2*Math.log(rnd()))*Math.cos(2*Math.PI*rnd())*.02;
const data=float32ToBfloat16(f);
const t0=performance.now();
const enc=embedded.encode({tensor:{dtype:'BF16',shape:[S,S],data},rows:S,cols:S,fragments:8,seed:0n,kernels:wasm},{});
console.log('encode',(performance.now()-t0).toFixed(0),'ms',(2*n/1e6/((performance.now()-t0)/1e3)).toFixed(1),'MB/s of bf16', (enc.payloads.reduce((s,p)=>s+p.length,0)*8/n).toFixed(3));
const out=new Uint8Array(2*n), out32=new Float32Array(n), src=new Uint8Array(data.buffer), dst=new Uint8Array(2*n), d32=new Float32Array(n);
for (const [name,kernels] of [['wasm',wasm],['portable',portableKernels]] as const) for(let k=0;k<(name==='wasm'?6:2);k++){
  const c0=performance.now(); dst.set(src); const c1=performance.now(); d32.set(f); const c2=performance.now();
  const t=performance.now();
  const dec=embedded.createDecoder({rows:S,cols:S,dtype:'BF16',fragments:8,seed:0n,norm:undefined,kernels},{});
  const tt=enc.payloads.map((p,i)=>{const a=performance.now();dec.addFragment(i,p);return (performance.now()-a).toFixed(1)});
  const t1=performance.now(); dec.reconstructElements!(out); const t2=performance.now(); dec.reconstruct(out32); const t3=performance.now();
  console.log(name,'copy bf16',(c1-c0).toFixed(2),'f32',(c2-c1).toFixed(2),'add',(t1-t).toFixed(1),tt.join(' '),'elements',(t2-t1).toFixed(1),'f32',(t3-t2).toFixed(1),'copies(bf16)',((t2-t)/(c1-c0)).toFixed(1),'copies(f32)',((t1-t+t3-t2)/(c2-c1)).toFixed(1),Buffer.compare(out,src));
}
