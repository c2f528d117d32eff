/** Numbers that look random and are the same for the same seed (mulberry32, Tommy Ettinger, public domain). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export const PEOPLE =
  'Mina Johann Ada Tomás Priya Lukas Amara Yuki Elif Noor Hanna Mateo Ines Oskar Wanjiru Chiara Pavel Leila Sven Rosa Emre Freya Kofi Maren Bao Sofia Idris Greta Anouk Diego Malik Signe'.split(
    ' ',
  );

export const ROOMS = [
  'Garden',
  'Kitchen rota',
  'Class 4b',
  'Choir',
  'Bike workshop',
  'Summer trip',
  'Board',
  'Lost and found',
  'Reading circle',
  'Football on Thursdays',
  'House meeting',
  'Photos',
  'Recipes',
  'Allotment 17',
  'Parents',
  'Repair café',
];

const THINGS =
  'shed,ladder,key,soup,minibus,tent,agenda,invoice,seed order,tomato plants,notice board,projector,first-aid box,sheet music,spare wheel,tablecloths,heating,gutter,compost,guest list,raffle tickets,lanterns,kettle,camping stove,poster,minutes,budget,rota,bread oven,picnic blankets'.split(
    ',',
  );
const PLACES =
  'in the hall,behind the shed,at the station,in the kitchen,by the lake,at ours,in room 12,at the market,on the terrace,in the cellar'.split(
    ',',
  );
const TIMES =
  'tomorrow,on Saturday,tonight at eight,before nine,next week,after lunch,on Thursday evening,at half past six,this weekend,in the morning'.split(
    ',',
  );
const DOINGS =
  'bring,fix,order,carry,paint,check,collect,return,borrow,label,count,water,pack,move,book,print'.split(',');
const SHORT =
  'Yes!,Thank you,Works for me,I can,On my way,Lovely,Sorry I missed it,Good idea,Count me in,Not this time,Ha,Perfect,Will do,Same here,Oh no,Of course,👍,Good morning,See you there,Done'.split(
    ',',
  );
const PATTERNS: readonly ((pick: Pick) => string)[] = [
  (p) => `Can somebody ${p(DOINGS)} the ${p(THINGS)} ${p(TIMES)}?`,
  (p) => `I will ${p(DOINGS)} the ${p(THINGS)} ${p(TIMES)}.`,
  (p) => `The ${p(THINGS)} is ${p(PLACES)}, next to the ${p(THINGS)}.`,
  (p) => `Who has the ${p(THINGS)}? I need it ${p(TIMES)}.`,
  (p) => `Reminder: ${p(DOINGS)} the ${p(THINGS)} ${p(TIMES)}, then we meet ${p(PLACES)}.`,
  (p) => `I left the ${p(THINGS)} ${p(PLACES)}. Please ${p(DOINGS)} it when you pass by.`,
  (p) =>
    `We still need the ${p(THINGS)} and the ${p(THINGS)}. Could you ${p(DOINGS)} one of them ${p(TIMES)}?`,
  (p) => `Does ${p(TIMES)} work for everyone? We would ${p(DOINGS)} the ${p(THINGS)} first.`,
  (p) => `The ${p(THINGS)} arrived. **Thank you** to whoever thought of the ${p(THINGS)}.`,
  (p) =>
    `Plan for ${p(TIMES)}:\n- ${p(DOINGS)} the ${p(THINGS)}\n- ${p(DOINGS)} the ${p(THINGS)}\n- cake ${p(PLACES)}`,
  (p) => `I wrote it all down here: https://example.org/${p(THINGS).replaceAll(' ', '-')}`,
  (p) => `It rained ${p(PLACES)} and the ${p(THINGS)} is wet. I can ${p(DOINGS)} it ${p(TIMES)}.`,
];

type Pick = (from: readonly string[]) => string;

/** What somebody might say in a group of people who do things together. */
export function somethingSaid(random: () => number): string {
  const pick: Pick = (from) => from[Math.floor(random() * from.length)] ?? '';
  if (random() < 0.28) return pick(SHORT);
  const first = PATTERNS[Math.floor(random() * PATTERNS.length)]?.(pick) ?? '';
  if (random() > 0.2) return first;
  return `${first} ${PATTERNS[Math.floor(random() * 9)]?.(pick) ?? ''}`;
}
